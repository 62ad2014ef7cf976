// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says of a VM's group now. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "pinning/resctrl/internal.h"

struct text {
	char *at;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct text *text, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text->at + text->used, text->size - text->used, fmt, ap);
	va_end(ap);
	text->used = MIN(text->used + (size_t)MAX(len, 0), text->size - 1);
}

static const struct schemata_domain *domain_find(const struct schemata *schemata, const char *name, unsigned int id)
{
	const struct schemata_line *line = schemata_find(schemata, name);

	for (unsigned int i = 0; line && i < line->count; i++)
		if (line->domains[i].id == id)
			return &line->domains[i];
	return NULL;
}

/* Is anything of ours another group's too? */
struct overlap {
	const struct cache_group *group;
	const char *line;
	unsigned int id;
	uint64_t ways;
	char who[GROUP_PATH_MAX];
};

static int overlap_find(void *ctx, const char *name)
{
	struct overlap *overlap = ctx;
	const struct schemata_domain *theirs;
	struct schemata schemata;

	if (strcmp(name, overlap->group->name) == 0 || group_schemata(overlap->group->root, name, &schemata))
		return 0;
	theirs = domain_find(&schemata, overlap->line, overlap->id);
	if (!theirs || !(theirs->value & overlap->ways))
		return 0;
	snprintf(overlap->who, sizeof(overlap->who), "%.*s", GROUP_PATH_MAX - 1,
		 strcmp(name, ".") == 0 ? "the host's" : name);
	return 1;
}

/* One that the group has for itself: as planned, and nobody else's. */
static bool ways_hold(const struct cache_group *group, const char *line, unsigned int id, uint64_t ways, char *who)
{
	struct overlap overlap = { group, line, id, ways, "" };

	if (!overlap_find(&overlap, "."))
		groups_each(group->root, overlap_find, &overlap);
	memcpy(who, overlap.who, GROUP_PATH_MAX);
	return !*who;
}

/* Caches that aren't its cores' are looked at, and not told of. */
static bool is_told(const struct cache_group *group, const char *line, unsigned int id)
{
	return caches_have(*line == 'L' ? group_caches(group, (unsigned int)(line[1] - '0')) : &group->l3, id);
}

static bool domain_tell(const struct cache_group *group, const struct schemata *now, const char *line,
			const struct schemata_domain *planned, struct text *text)
{
	const struct schemata_domain *found = domain_find(now, line, planned->id);
	char who[GROUP_PATH_MAX] = "";
	bool held = found && found->value == planned->value;

	if (held && group_owns(group, line, planned->id))
		held = ways_hold(group, line, planned->id, planned->value, who);
	if (held && !is_told(group, line, planned->id))
		return true;
	if (*line == 'L')
		say(text, ", %s %u: ways %" PRIx64, line, planned->id, found ? found->value : 0);
	else
		say(text, ", bandwidth %u: at most %" PRIu64, planned->id, found ? found->value : 0);
	if (!found || found->value != planned->value)
		say(text, *line == 'L' ? " and not %" PRIx64 : " and not %" PRIu64, planned->value);
	if (*who)
		say(text, ", some of them \"%s\" too", who);
	return held;
}

static bool lines_tell(const struct cache_group *group, struct text *text)
{
	struct schemata now;
	bool held = true;

	if (group_schemata(group->root, group->name, &now)) {
		say(text, ": its schemata can't be read");
		return false;
	}
	for (unsigned int i = 0; i < group->lines.count; i++) {
		const struct schemata_line *line = &group->lines.lines[i];

		for (unsigned int j = 0; j < line->count; j++)
			held &= domain_tell(group, &now, line->name, &line->domains[j], text);
	}
	return held;
}

static bool threads_tell(const struct cache_group *group, const pid_t *tids, unsigned int count, struct text *text)
{
	unsigned int there = 0;

	for (unsigned int i = 0; i < count; i++)
		there += group_has(group->root, group->name, tids[i]);
	if (count)
		say(text, there == count ? ", %u vCPU%s" : ", %u vCPU%s of %u", there, there == 1 ? "" : "s", count);
	return there == count;
}

bool cache_evidence(const struct cache_group *group, const pid_t *tids, unsigned int count, char *buffer, size_t size)
{
	struct text text = { buffer, size, 0 };
	bool held;

	say(&text, "%sgroup %s", group->simulated ? "simulated: " : "", group->name);
	held = lines_tell(group, &text);
	if (group->exclusive) {
		bool is = group_is_exclusive(group->root, group->name);

		say(&text, is ? ", exclusive" : ", no longer exclusive");
		held &= is;
	}
	return threads_tell(group, tids, count, &text) && held;
}
