/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_RESCTRL_INTERNAL_H
#define PINNING_RESCTRL_INTERNAL_H

#include "pinning/resctrl/resctrl.h"

/* Inside pinning/resctrl. A cache's level, in the kernel's files and in ours. */
struct cache_level {
	const char *key;  /* of the configuration: "l3" */
	const char *line; /* of schemata: "L3" */
	unsigned int number;
};
extern const struct cache_level cache_levels[2];

/* The halves of a level's line, if code and data have masks of their own: "L3", or "L3CODE" and "L3DATA". */
#define CACHE_HALVES 3
extern const char *const cache_halves[CACHE_HALVES]; /* "", "CODE", "DATA" */

/* caches.c: those of @number's level that the group's cores use; is @id one of them? */
const struct cache_set *group_caches(const struct cache_group *group, unsigned int number);
bool caches_have(const struct cache_set *set, unsigned int id);

/* Has the group these ways for itself? Of caches that aren't its cores' only where it is exclusive. */
bool group_owns(const struct cache_group *group, const char *line, unsigned int id);

/* ways.c: the longest run of ways in @ways, the lowest of several; with sparse masks all of them. */
uint64_t ways_longest(const struct cache_info *info, uint64_t ways);

/* info.c: of the level, whatever its lines are called. -ENOENT: this host has none. */
int level_info_read(int root, const struct cache_level *level, struct cache_info *info);

/*
 * mount.c: open where resctrl is mounted on @host; *@mbps and *@simulated (or NULL) are what is known of it. -ENOENT:
 * it isn't mounted. Reports nothing.
 */
int resctrl_open(const char *host, bool *mbps, bool *simulated);

/* Could it be? Then it is only not mounted. */
bool resctrl_is_had(const char *host);

/*
 * records.c: one file a group in the state folder, with the ways that it has for itself. cache_lock: the right to
 * change groups, as long as the fd is open. cache_record_*: negative errno, reported.
 */
int cache_lock(const char *state);
int cache_record_make(struct cache_group *group);
void cache_record_remove(struct cache_group *group);

/* Is the group nobody's: no record, or one that nobody has locked? */
bool group_is_left(const char *state, const char *name);

/* All ways of cache @id of the line that records of the living tell of, into *@ways. */
void records_ways(const char *state, const char *line, unsigned int id, uint64_t *ways);

/* Remove the records of the dead. */
void records_sweep(const char *state);

/* Is there any? */
bool records_exist(const char *state);

/* Call @each with the name of each group but the default one, until it returns something else than 0: that. */
int groups_each(int root, int (*each)(void *ctx, const char *name), void *ctx);

/*
 * lent.c: leave to the default group what it had before, without what the records tell of. Negative errno, reported;
 * nothing is changed of what somebody else has set meanwhile. The lock is held.
 */
int default_settle(int root, const char *state);

/* plan.c: would as much be left to the default group as the kernel wants, without @ways? */
bool default_can_spare(int root, const char *state, const char *line, unsigned int id, uint64_t ways);

#endif
