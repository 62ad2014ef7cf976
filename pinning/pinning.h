/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_PINNING_H
#define PINNING_PINNING_H

#include <stdbool.h>

#include "base/claim.h"
#include "pinning/topology.h"

#define CPU_ISOLATED "/sys/devices/system/cpu/isolated"
#define CPU_ONLINE   "/sys/devices/system/cpu/online"

/* Who may be on the other threads of a VM's physical cores: "smt". */
enum smt {
	SMT_EXCLUDE,	/* no VM: one vCPU a physical core */
	SMT_WHOLE_CORE, /* its own vCPUs */
	SMT_SHARE,	/* any VM that says so too */
};

/* What cores are wanted, and what the host has. */
struct placement {
	const unsigned int *wanted; /* those asked for, in the vCPUs' order */
	unsigned int nwanted;	    /* 0: chosen here */
	unsigned int vcpus;
	enum smt smt;
	int function_node;		  /* be near this NUMA node, or -1 */
	const unsigned int *memory_nodes; /* and then near one of these */
	unsigned int nmemory_nodes;	  /* 0: there are none */
	const struct topology *topology;
	struct cpus partition; /* of our own, taken by `nohype host apply` */
	struct cpus isolated;  /* at boot */
	struct cpus allowed;   /* where this process may run */
};

/* placement.c: what this host has, into @placement's sets; negative errno, reported. */
int placement_host(struct placement *placement);

/*
 * A host core for each vCPU into @cores, and claims on them and on the siblings that nobody else may have. Of those
 * that no other VM has: the partition's, if it has enough, or else those isolated at boot, and then others; CPU 0's
 * core last; near the nodes, then near each other; the highest-numbered first. @beside: siblings of the VM's cores that
 * aren't its vCPUs' and that it has claimed. -ENODEV (no such core, or offline), -EINVAL (they don't go with "smt" or
 * each other), -ENOSPC (fewer cores than vCPUs), -EBUSY (another VM has one): reported.
 */
int cores_choose(const struct placement *placement, struct claims *claims, unsigned int *cores, struct cpus *beside);

/*
 * The next range of a list in the kernel's own format, "0-3,7" (Documentation/core-api/printk-formats.rst, bitmaps as
 * lists); *@list moves past it. False: there is none.
 */
bool cpu_list_next(const char **list, unsigned long *first, unsigned long *last);

#endif
