// SPDX-License-Identifier: GPL-2.0-only
/* Which of the host's NUMA nodes the memory is on, and which nodes the guest sees. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/util.h"
#include "pinning/host/host.h"
#include "rings/rings.h"
#include "vmm/supervisor/internal.h"

_Static_assert(VM_NODES_MAX == MEMORY_NODES_MAX && VM_NODE_LIMIT == MEMORY_NODE_NUMBER, "one number");
_Static_assert(VM_VCPUS_MAX == BOOT_VCPUS_MAX, "one number");

#define DISTANCE_SAME 10 /* ACPI 6.3, 5.2.17 */

void plan_nodes(struct vm_plan *plan, const struct vm_config *cfg)
{
	uint64_t page = MAX(plan->page_size, MIB(2)), offset = 0;

	plan->nodes.count = cfg->nnodes;
	for (unsigned int i = 0; i < cfg->nnodes; i++) {
		struct memory_part *part = &plan->nodes.parts[i];
		uint64_t share = align_down(cfg->memory_size / cfg->nnodes, page);

		*part = (struct memory_part){ cfg->nodes[i].node, offset, cfg->nodes[i].size };
		if (!part->size) /* the last one has what doesn't go into equal parts */
			part->size = i + 1 < cfg->nnodes ? share : cfg->memory_size - offset;
		offset += part->size;
	}
	for (unsigned int i = 0; cfg->nnodes && i < cfg->ndisks; i++) {
		const struct memory_range *range = layout_disk(&plan->layout, i);

		plan->nodes.disks[plan->nodes.ndisks++] =
			(struct memory_part){ cfg->nodes[i % cfg->nnodes].node, range->offset, range->size };
	}
}

/* What of a part lies in a range: a piece of guest-physical memory. */
static void memory_add(struct guest_numa *numa, uint32_t domain, const struct memory_part *part,
		       const struct memory_range *range)
{
	uint64_t start = MAX(part->offset, range->offset);
	uint64_t end = MIN(part->offset + part->size, range->offset + range->size);

	if (start >= end)
		return;
	numa->memory[numa->nmemory].gpa = range->gpa + (start - range->offset);
	numa->memory[numa->nmemory].size = end - start;
	numa->memory[numa->nmemory++].domain = domain;
}

/* The one of the memory's nodes that is nearest to the core; the first where the host doesn't say. */
static uint32_t domain_of(const struct memory_nodes *nodes, unsigned int core)
{
	int home = node_of_cpu(core);
	unsigned int nearest = 0;
	uint32_t domain = 0;

	for (uint32_t i = 0; home >= 0 && i < nodes->count; i++) {
		unsigned int distance = node_distance((unsigned int)home, nodes->parts[i].node);

		if (distance && (!nearest || distance < nearest)) {
			nearest = distance;
			domain = i;
		}
	}
	return domain;
}

/* All of them, or none: a table with what Linux takes for impossible would be thrown away as a whole. */
static void distances_read(struct guest_numa *numa, const struct memory_nodes *nodes)
{
	for (uint32_t i = 0; i < nodes->count; i++) {
		for (uint32_t n = 0; n < nodes->count; n++) {
			unsigned int distance = node_distance(nodes->parts[i].node, nodes->parts[n].node);

			if ((i == n) != (distance == DISTANCE_SAME) || distance > UINT8_MAX) {
				numa->distances[0][0] = 0;
				return;
			}
			numa->distances[i][n] = (uint8_t)distance;
		}
	}
}

int plan_numa(struct vm_plan *plan)
{
	const struct memory_nodes *nodes = &plan->nodes;
	struct guest_numa *numa = &plan->numa;

	for (uint32_t i = 0; i < nodes->count; i++)
		if (node_check(nodes->parts[i].node))
			return -EINVAL;
	numa->count = nodes->count;
	/*
	 * Disks are left out: for a range above 4 GiB in the SRAT, memory or not, Linux keeps 64 MiB to bounce DMA from
	 * (drivers/acpi/numa/srat.c, max_possible_pfn; arch/x86/kernel/pci-dma.c), which a small guest can't spare.
	 */
	for (uint32_t i = 0; i < nodes->count; i++)
		for (uint32_t n = 0; n < plan->layout.count; n++)
			memory_add(numa, i, &nodes->parts[i], &plan->layout.ranges[n]);
	for (unsigned int i = 0; i < plan->vcpus; i++)
		numa->vcpus[i] = domain_of(nodes, plan->cores[i]);
	distances_read(numa, nodes);
	return 0;
}

/* Outside of the cores' partition its threads can't be pinned; then they are on the cores that they may use. */
static void crew_enter(const struct memory_crew *crew)
{
	partition_enter(getpid(), crew->cores, crew->count);
}

struct memory_place plan_place(const struct vm_config *cfg, const char *suffix)
{
	struct memory_place place = { .folder = cfg->memory_folder,
				      .state = HOST_STATE,
				      .how = cfg->clear_verify ? MEMORY_CLEAR_VERIFY : MEMORY_CLEAR_SAMPLE };

	snprintf(place.file, sizeof(place.file), "%s%s", cfg->name, suffix);
	return place;
}

struct memory_request plan_memory_request(const struct vm_plan *plan, const struct vm_config *cfg)
{
	return (struct memory_request){ .layout = plan->layout,
					.page_size = plan->page_size,
					.place = plan_place(cfg, ""),
					.nodes = plan->nodes,
					.crew = { plan->cores, plan->vcpus, crew_enter },
					.rings = cfg->rings && plan->page_size < GIB(1) ? RINGS_SIZE : 0,
					.reserve = cfg->memory_reserve };
}
