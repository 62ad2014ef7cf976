// SPDX-License-Identifier: GPL-2.0-only
#include "pinning/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

/* The last level. One that only the threads of a core share tells nothing of which cores are near. */
static void cache_fill(hwloc_topology_t hwloc, hwloc_obj_t pu, struct cpu_place *place)
{
	hwloc_obj_t cache = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_L3CACHE, pu);

	place->cache = cache ? (int)cache->logical_index : -1;
	place->cache_bytes = cache ? cache->attr->cache.size : 0;
}

static void place_fill(hwloc_topology_t hwloc, hwloc_obj_t pu, struct cpu_place *place)
{
	hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_CORE, pu);
	hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, pu);
	int node = hwloc_bitmap_first(pu->nodeset);

	/* where the host doesn't say, each is a core of its own, in one package */
	*place = (struct cpu_place){ .cpu = pu->os_index,
				     .core = core ? core->logical_index : pu->logical_index,
				     .package = package ? package->logical_index : 0,
				     .node = node < 0 ? 0 : (unsigned int)node };
	cache_fill(hwloc, pu, place);
}

static int topology_fill(struct topology *topology, hwloc_topology_t hwloc)
{
	int count = hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_PU);
	hwloc_obj_t obj = NULL;

	topology->list = count > 0 ? calloc((size_t)count, sizeof(*topology->list)) : NULL;
	if (!topology->list)
		return fail(-ENOMEM, "topology: no memory for %d CPUs", count);
	while ((obj = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_PU, obj)))
		place_fill(hwloc, obj, &topology->list[topology->count++]);
	while ((obj = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, obj)) &&
	       topology->nnodes < ARRAY_SIZE(topology->nodes)) {
		topology->nodes[topology->nnodes].number = obj->os_index;
		topology->nodes[topology->nnodes++].bytes = obj->attr->numanode.local_memory;
	}
	return 0;
}

/*
 * Cores that a cpuset partition has taken from us count too. hwloc's x86 component would go to each CPU and ask it by
 * CPUID, which interrupts it: what the kernel says is enough.
 */
static int hwloc_prepare(hwloc_topology_t hwloc, const char *synthetic)
{
	if (synthetic)
		return hwloc_topology_set_synthetic(hwloc, synthetic);
	if (hwloc_topology_set_flags(hwloc, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED))
		return -1;
	return hwloc_topology_set_components(hwloc, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
}

int topology_read(struct topology *topology, const char *synthetic)
{
	hwloc_topology_t hwloc;
	int err;

	*topology = (struct topology){ 0 };
	if (hwloc_topology_init(&hwloc))
		return fail(-ENOMEM, "topology: no memory for it");
	if (hwloc_prepare(hwloc, synthetic) || hwloc_topology_load(hwloc))
		err = fail(-EIO, "topology: hwloc can't read it: %s", strerror(errno));
	else
		err = topology_fill(topology, hwloc);
	hwloc_topology_destroy(hwloc);
	return err;
}

void topology_free(struct topology *topology)
{
	free(topology->list);
	*topology = (struct topology){ 0 };
}

const struct cpu_place *topology_find(const struct topology *topology, unsigned int cpu)
{
	for (size_t i = 0; i < topology->count; i++)
		if (topology->list[i].cpu == cpu)
			return &topology->list[i];
	return NULL;
}

void topology_cpus(const struct topology *topology, struct cpus *set)
{
	*set = (struct cpus){ 0 };
	for (size_t i = 0; i < topology->count; i++)
		cpus_add(set, topology->list[i].cpu);
}

void topology_siblings(const struct topology *topology, unsigned int cpu, struct cpus *set)
{
	const struct cpu_place *place = topology_find(topology, cpu);

	*set = (struct cpus){ 0 };
	for (size_t i = 0; place && i < topology->count; i++)
		if (topology->list[i].core == place->core)
			cpus_add(set, topology->list[i].cpu);
}
