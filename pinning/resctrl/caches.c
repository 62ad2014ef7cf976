// SPDX-License-Identifier: GPL-2.0-only
/* Which caches a VM's cores use: Documentation/ABI/testing/sysfs-devices-system-cpu, cache/index*. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pinning/resctrl/internal.h"

#define INDEXES_MAX 8  /* of one core's caches: today's have 3 or 4 */
#define NUMBER_MAX  32 /* bytes */

const struct cache_level cache_levels[2] = { { "l3", "L3", 3 }, { "l2", "L2", 2 } };
const char *const cache_halves[CACHE_HALVES] = { "", "CODE", "DATA" };

/* A number at the beginning of a file; -1: none. */
static int number_of(const struct cache_user *user, unsigned int core, unsigned int index, const char *file)
{
	char path[RESCTRL_PATH_MAX], text[4096];

	snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpu%u/cache/index%u/%s", user->host, core, index, file);
	if (resctrl_read(AT_FDCWD, path, text, sizeof(text)) <= 0 || *text < '0' || *text > '9')
		return -1;
	return (int)strtol(text, NULL, 10);
}

static int cache_add_one(struct cache_set *set, unsigned int id, int cpu)
{
	if (caches_have(set, id))
		return 0;
	if (set->count == CACHES_MAX)
		return -E2BIG;
	set->cpus[set->count] = cpu;
	set->ids[set->count++] = id;
	return 0;
}

int caches_of(const struct cache_user *user, unsigned int level, struct cache_set *set)
{
	int err = 0;

	*set = (struct cache_set){ 0 };
	for (unsigned int i = 0; !err && i < user->ncores; i++) {
		unsigned int core = user->cores[i], index = 0;
		int id;

		while (index < INDEXES_MAX && number_of(user, core, index, "level") != (int)level)
			index++;
		id = index < INDEXES_MAX ? number_of(user, core, index, "id") : -1;
		err = id < 0 ? -ENOENT
			     : cache_add_one(set, (unsigned int)id, number_of(user, core, index, "shared_cpu_list"));
	}
	return err;
}

bool caches_have(const struct cache_set *set, unsigned int id)
{
	for (unsigned int i = 0; i < set->count; i++)
		if (set->ids[i] == id)
			return true;
	return false;
}

const struct cache_set *group_caches(const struct cache_group *group, unsigned int number)
{
	return number == 2 ? &group->l2 : &group->l3;
}

bool group_owns(const struct cache_group *group, const char *line, unsigned int id)
{
	if (*line != 'L')
		return false;
	return group->exclusive || caches_have(group_caches(group, (unsigned int)(line[1] - '0')), id);
}
