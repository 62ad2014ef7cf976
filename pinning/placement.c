// SPDX-License-Identifier: GPL-2.0-only
/* What this host has for VMs, for cores.c to choose from. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/log.h"
#include "pinning/host/host.h"
#include "pinning/pinning.h"

int placement_host(struct placement *placement)
{
	int err = cpus_read(&placement->isolated, CPU_ISOLATED);

	if (err)
		return fail(err, "%s: %s", CPU_ISOLATED, strerror(-err));
	cpus_partition(&placement->partition);
	placement->allowed = (struct cpus){ 0 };
	if (sched_getaffinity(0, sizeof(placement->allowed), (cpu_set_t *)&placement->allowed))
		return fail(-errno, "cores that this process may use: %s", strerror(errno));
	return 0;
}
