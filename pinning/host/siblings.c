// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pinning/host/internal.h"

/* Documentation/admin-guide/cputopology.rst: CPUs that are threads of one physical core share nearly all of it. */
static int core_siblings(struct host *host, unsigned int core)
{
	char *path = host_path(host, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", core), *list;
	struct cpus siblings;
	int err = path ? cpus_read(&siblings, path) : -ENOMEM;

	free(path);
	if (err)
		return err == -ENOMEM ? err : 0;
	cpus_and(&siblings, &siblings, &host->rest);
	if (cpus_empty(&siblings))
		return 0;
	list = cpus_to_list(&siblings);
	err = list ? lines_add(&host->lacking,
			       "core %u shares its physical core with %s, which stays the host's: take that too, or "
			       "switch "
			       "threads off (echo off >/sys/devices/system/cpu/smt/control)",
			       core, list)
		   : -ENOMEM;
	free(list);
	return err;
}

int plan_siblings(struct host *host)
{
	int err = 0;

	for (unsigned int core = 0; !err && core < CPUS_MAX; core++)
		if (cpus_has(&host->cores, core))
			err = core_siblings(host, core);
	return err;
}
