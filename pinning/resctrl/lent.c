// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the default group, the host's, gives up for VMs' ways, and gets back. What it had before stands in a file before
 * it is changed: a way is the host's again when no record tells of it any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/resctrl/internal.h"

#define LENT_MAX  (4 * CACHES_MAX)
#define PATH_SIZE 512

/* One mask of the default group's: what it was, what it is changed from, and to. */
struct lent {
	char line[SCHEMATA_NAME_MAX];
	unsigned int id;
	uint64_t was, from, to;
};

struct lents {
	unsigned int count;
	struct lent list[LENT_MAX];
};

static void lents_path(char path[PATH_SIZE], const char *state, const char *suffix)
{
	snprintf(path, PATH_SIZE, "%s/resctrl.default%s", state, suffix);
}

static void lents_read(struct lents *lents, const char *state)
{
	char path[PATH_SIZE], text[KIB(32)];
	const char *at = text;
	int used = 0;

	lents->count = 0;
	lents_path(path, state, "");
	if (resctrl_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return;
	while (lents->count < LENT_MAX) {
		struct lent *lent = &lents->list[lents->count];

		if (sscanf(at, "%15s %u %" SCNx64 " %" SCNx64 " %" SCNx64 "\n%n", lent->line, &lent->id, &lent->was,
			   &lent->from, &lent->to, &used) != 5)
			return;
		at += used;
		lents->count++;
	}
}

/* As a whole or not at all. */
static int lents_write(const struct lents *lents, const char *state)
{
	char path[PATH_SIZE], temporary[PATH_SIZE];
	int fd, err = 0;

	lents_path(path, state, "");
	lents_path(temporary, state, ".new");
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(-errno, "resctrl: \"%s\": %s", temporary, strerror(errno));
	for (unsigned int i = 0; !err && i < lents->count; i++) {
		const struct lent *lent = &lents->list[i];

		if (dprintf(fd, "%s %u %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", lent->line, lent->id, lent->was,
			    lent->from, lent->to) < 0)
			err = -errno;
	}
	if (!err && (fdatasync(fd) || rename(temporary, path)))
		err = -errno;
	close(fd);
	if (err)
		unlink(temporary);
	return err ? fail(err, "resctrl: \"%s\": %s", path, strerror(-err)) : 0;
}

static const struct lent *lent_find(const struct lents *lents, const char *line, unsigned int id)
{
	for (unsigned int i = 0; i < lents->count; i++)
		if (lents->list[i].id == id && strcmp(lents->list[i].line, line) == 0)
			return &lents->list[i];
	return NULL;
}

/* What the default group had, unless somebody else has set it since. */
static uint64_t lent_was(const struct lent *lent, uint64_t now)
{
	return lent && (now == lent->from || now == lent->to) ? lent->was : now;
}

static int info_of(int root, const char *line, struct cache_info *info)
{
	const struct cache_level *level = &cache_levels[line[1] == '2'];

	return level_info_read(root, level, info);
}

/* What one mask is to be. False: it is left with too little. */
static bool lent_decide(int root, const char *state, const struct lents *before, struct lent *lent)
{
	struct cache_info info;
	uint64_t held = 0;

	if (info_of(root, lent->line, &info))
		return false;
	lent->was = lent_was(lent_find(before, lent->line, lent->id), lent->from);
	records_ways(state, lent->line, lent->id, &held);
	lent->to = lent->was & held ? ways_longest(&info, lent->was & ~held) : lent->was;
	return ways_check(&info, lent->to) == 0;
}

static int lents_decide(int root, const char *state, struct lents *after)
{
	struct lents before;
	struct schemata now;
	int err = group_schemata(root, ".", &now);

	after->count = 0;
	if (err)
		return fail(err, "resctrl: the default group's schemata: %s", strerror(-err));
	lents_read(&before, state);
	for (unsigned int i = 0; i < now.count; i++) {
		for (unsigned int j = 0; *now.lines[i].name == 'L' && j < now.lines[i].count; j++) {
			struct lent *lent = &after->list[after->count];

			if (after->count == LENT_MAX)
				return fail(-E2BIG, "resctrl: more than %d caches", LENT_MAX);
			memcpy(lent->line, now.lines[i].name, sizeof(lent->line));
			lent->id = now.lines[i].domains[j].id;
			lent->from = now.lines[i].domains[j].value;
			if (!lent_decide(root, state, &before, lent))
				return fail(-ENOSPC, "resctrl: %s of cache %u: too little would be the host's",
					    lent->line, lent->id);
			after->count += lent->to != lent->from || lent->to != lent->was;
		}
	}
	return 0;
}

static int lents_apply(int root, const struct lents *lents)
{
	int result = 0;

	for (unsigned int i = 0; i < lents->count; i++) {
		const struct lent *lent = &lents->list[i];
		struct schemata_line line = { .count = 1, .domains = { { lent->id, lent->to } } };
		int err;

		memcpy(line.name, lent->line, sizeof(line.name));
		err = lent->to == lent->from ? 0 : group_set(root, ".", &line);
		result = result ? result : err;
	}
	return result;
}

static bool lents_are_home(const struct lents *lents)
{
	for (unsigned int i = 0; i < lents->count; i++)
		if (lents->list[i].to != lents->list[i].was)
			return false;
	return true;
}

int default_settle(int root, const char *state)
{
	char path[PATH_SIZE];
	struct lents lents;
	int err = lents_decide(root, state, &lents);

	if (!err && lents.count)
		err = lents_write(&lents, state);
	if (!err)
		err = lents_apply(root, &lents);
	lents_path(path, state, "");
	if (!err && lents_are_home(&lents))
		unlink(path);
	return err;
}

bool default_can_spare(int root, const char *state, const char *line, unsigned int id, uint64_t ways)
{
	struct cache_info info;
	struct schemata all;
	struct lents lents;
	uint64_t held = ways, now = 0;

	if (info_of(root, line, &info) || group_schemata(root, ".", &all) || !schemata_ways(&all, line, id, &now))
		return false;
	lents_read(&lents, state);
	now = lent_was(lent_find(&lents, line, id), now);
	records_ways(state, line, id, &held);
	return ways_check(&info, now & held ? ways_longest(&info, now & ~held) : now) == 0;
}
