// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose a group is: a file by its name in the state folder, locked as long as its supervisor lives, in which the ways
 * stand that were taken for it. It is there before the group is, and goes after it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/resctrl/internal.h"

#define RECORD	  "resctrl." /* and the group's name */
#define PATH_SIZE 512

int cache_lock(const char *state)
{
	char path[PATH_SIZE];
	int fd, err = 0;

	if (mkdir(state, 0755) && errno != EEXIST)
		return fail(-errno, "resctrl: \"%s\": %s", state, strerror(errno));
	snprintf(path, sizeof(path), "%s/resctrl.lock", state);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(-errno, "resctrl: \"%s\": %s", path, strerror(errno));
	while (!err && flock(fd, LOCK_EX))
		if (errno != EINTR)
			err = fail(-errno, "resctrl: \"%s\": %s", path, strerror(errno));
	if (!err)
		return fd;
	close(fd);
	return err;
}

static bool record_is_held(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);

	fd_close(&fd);
	return held;
}

/* What the group has for itself, as lines of schemata. */
static int owned_write(const struct cache_group *group)
{
	char text[SCHEMATA_MAX];

	for (unsigned int i = 0; i < group->lines.count; i++) {
		const struct schemata_line *line = &group->lines.lines[i];
		struct schemata_line owned = { 0 };
		int len;

		memcpy(owned.name, line->name, sizeof(owned.name));
		for (unsigned int j = 0; j < line->count; j++)
			if (group_owns(group, line->name, line->domains[j].id))
				owned.domains[owned.count++] = line->domains[j];
		if (!owned.count)
			continue;
		len = schemata_format(&owned, text, sizeof(text));
		if (len < 0)
			return len;
		if (write(group->record_fd, text, (size_t)len) != len)
			return errno ? -errno : -ENOSPC;
	}
	return fdatasync(group->record_fd) ? -errno : 0;
}

int cache_record_make(struct cache_group *group)
{
	int err = 0;

	snprintf(group->record, sizeof(group->record), "%s/" RECORD "%s", group->user.state, group->name);
	group->record_fd = open(group->record, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (group->record_fd < 0)
		return fail(-errno, "resctrl: \"%s\": %s%s", group->record, strerror(errno),
			    errno == EEXIST ? ": another VM of that name has a share" : "");
	if (flock(group->record_fd, LOCK_EX | LOCK_NB))
		err = -errno;
	errno = 0;
	if (!err)
		err = owned_write(group);
	if (!err)
		return 0;
	cache_record_remove(group);
	return fail(err, "resctrl: \"%s\": %s", group->record, strerror(-err));
}

void cache_record_remove(struct cache_group *group)
{
	if (group->record_fd >= 0)
		unlink(group->record);
	fd_close(&group->record_fd);
}

bool group_is_left(const char *state, const char *name)
{
	char path[PATH_SIZE];

	if (strncmp(name, GROUP_PREFIX, strlen(GROUP_PREFIX)) != 0)
		return false;
	snprintf(path, sizeof(path), "%s/" RECORD "%s", state, name);
	return !record_is_held(path);
}

/* Members of @folder (an fd, which is closed) until @each returns something else than 0: that. */
static int members_each(int folder, int (*each)(void *ctx, const char *name), void *ctx)
{
	DIR *dir = folder < 0 ? NULL : fdopendir(folder);
	const struct dirent *entry;
	int result = 0;

	if (!dir) {
		fd_close(&folder);
		return 0;
	}
	while (!result && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			result = each(ctx, entry->d_name);
	closedir(dir);
	return result;
}

static int records_each(const char *state, int (*each)(void *ctx, const char *name), void *ctx)
{
	return members_each(open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), each, ctx);
}

static bool is_record(const char *name)
{
	return strncmp(name, RECORD GROUP_PREFIX, strlen(RECORD GROUP_PREFIX)) == 0;
}

struct look {
	const char *state, *line;
	unsigned int id;
	uint64_t *ways;
};

static int record_add(void *ctx, const char *name)
{
	char path[PATH_SIZE], text[SCHEMATA_MAX];
	const struct look *look = ctx;
	struct schemata owned;

	if (!is_record(name))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", look->state, name);
	if (record_is_held(path) && resctrl_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	    !schemata_parse(text, &owned))
		schemata_ways(&owned, look->line, look->id, look->ways);
	return 0;
}

void records_ways(const char *state, const char *line, unsigned int id, uint64_t *ways)
{
	struct look look = { state, line, id, ways };

	records_each(state, record_add, &look);
}

static int record_sweep(void *ctx, const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, name);
	if (is_record(name) && !record_is_held(path))
		unlink(path);
	return 0;
}

void records_sweep(const char *state)
{
	records_each(state, record_sweep, (void *)state);
}

static int record_any(void *ctx, const char *name)
{
	(void)ctx;
	return is_record(name) || strcmp(name, RECORD "default") == 0;
}

bool records_exist(const char *state)
{
	return records_each(state, record_any, NULL);
}

struct visit {
	int root;
	int (*each)(void *ctx, const char *name);
	void *ctx;
};

/* "info" and the folders of monitoring have no schemata. */
static int folder_visit(void *ctx, const char *name)
{
	const struct visit *visit = ctx;
	char path[GROUP_PATH_MAX * 3];

	snprintf(path, sizeof(path), "%s/schemata", name);
	return faccessat(visit->root, path, F_OK, 0) ? 0 : visit->each(visit->ctx, name);
}

int groups_each(int root, int (*each)(void *ctx, const char *name), void *ctx)
{
	struct visit visit = { root, each, ctx };

	return members_each(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder_visit, &visit);
}
