// SPDX-License-Identifier: GPL-2.0-only
/* What a VM's group uses of its caches. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pinning/host/cpus.h"
#include "pinning/resctrl/internal.h"

const char *const cache_counters[CACHE_COUNTERS] = {
	[CACHE_OCCUPANCY] = "llc_occupancy",
	[CACHE_TOTAL] = "mbm_total_bytes",
	[CACHE_LOCAL] = "mbm_local_bytes",
};

/* "Unavailable", "Unassigned" and "Error" are the kernel's words for none. */
static int64_t counter_read(const struct cache_group *group, unsigned int cache, const char *name)
{
	char path[GROUP_PATH_MAX + 64], text[64], *end;
	long long value;

	snprintf(path, sizeof(path), "%s/mon_data/mon_L3_%02u/%s", group->name, cache, name);
	if (resctrl_read(group->root, path, text, sizeof(text)) <= 0 || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || strcmp(end, "\n") != 0 ? -1 : value;
}

/*
 * fs/resctrl/ctrlmondata.c, mon_event_read(): by a worker on the first CPU of the cache, or of those without nohz_full
 * if there is one; what is asked of the list is the first alone, so that more is refused than has to be.
 */
static bool cpu_is_quiet(int cpu, const char *quiet)
{
	struct cpus set;

	return cpu < 0 || cpus_from_list(&set, quiet) || cpus_has(&set, (unsigned int)cpu);
}

int cache_monitor(const struct cache_group *group, unsigned int nth, const char *quiet, struct cache_use *use)
{
	char features[256];
	bool any = false;

	*use = (struct cache_use){ .cache = group->l3.ids[nth] };
	for (size_t i = 0; i < CACHE_COUNTERS; i++)
		use->values[i] = -1;
	if (resctrl_read(group->root, "info/L3_MON/mon_features", features, sizeof(features)) <= 0)
		return -ENOENT;
	if (cpu_is_quiet(group->l3.cpus[nth], quiet))
		return -EBUSY;
	for (size_t i = 0; i < CACHE_COUNTERS; i++) {
		if (strstr(features, cache_counters[i]))
			use->values[i] = counter_read(group, use->cache, cache_counters[i]);
		any |= use->values[i] >= 0;
	}
	return any ? 0 : -EAGAIN;
}
