/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SYSTEM_LIMIT_H
#define VMM_SYSTEM_LIMIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LIMIT_RATE  500	 /* requests a second, if nothing else is said */
#define LIMIT_BURST 2000 /* the same, at once */
#define LIMIT_MIN   10	 /* of either: what a change costs must fit */
#define LIMIT_MAX   1000000
#define LIMIT_USERS 64

struct bucket {
	uid_t uid;
	int64_t left; /* billionths of a request */
	int64_t at;   /* ns, CLOCK_MONOTONIC: when that was */
};

struct limit {
	int64_t rate;  /* requests a second */
	int64_t burst; /* requests */
	unsigned int count;
	struct bucket buckets[LIMIT_USERS];
};

/* limit_config.c: by @json, { "per_second": 500, "burst": 2000 }, or NULL: the defaults. -EINVAL, reported. */
int limit_read(struct limit *limit, json_t *json);

/* limit.c: may @uid make a request at @now (ns, CLOCK_MONOTONIC)? 0: yes, and it counts; else in how many seconds to
 * try again. */
unsigned int limit_take(struct limit *limit, uid_t uid, bool change, int64_t now);

#endif
