/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_TOPOLOGY_H
#define PINNING_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include "pinning/host/cpus.h"

/* Where one logical CPU is. All but the CPU's and the node's numbers are hwloc's, by place. */
struct cpu_place {
	unsigned int cpu; /* the kernel's number */
	unsigned int core, package;
	unsigned int node; /* the kernel's number */
	int cache;	   /* L3, or -1: there is none */
	uint64_t cache_bytes;
};

/* The CPUs that are online, in the order of their places: threads of one core, cores of one cache stand together. */
struct topology {
	struct cpu_place *list;
	size_t count;
	struct {
		unsigned int number;
		uint64_t bytes;
	} nodes[64];
	size_t nnodes;
};

/*
 * topology.c: read it. @synthetic: NULL, this host's; or hwloc's description of one, for tests. Runs nothing on other
 * CPUs: sealed guests may be there. Negative errno, reported; topology_free() in any case.
 */
int topology_read(struct topology *topology, const char *synthetic);
void topology_free(struct topology *topology);

/* Where @cpu is; NULL: it isn't online. */
const struct cpu_place *topology_find(const struct topology *topology, unsigned int cpu);

/* All CPUs; the threads of @cpu's core, itself too. */
void topology_cpus(const struct topology *topology, struct cpus *set);
void topology_siblings(const struct topology *topology, unsigned int cpu, struct cpus *set);

#endif
