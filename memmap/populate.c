// SPDX-License-Identifier: GPL-2.0-only
/*
 * All pages of the memory, allocated and zeroed by the kernel for the crew's threads side by side: fallocate(2) would
 * do one after the other, and knows of no node.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "memmap/internal.h"

#define WORD_BITS 64

/* What the two processes tell each other. */
struct population {
	struct memory_nodes nodes;
	struct memory_placement placement;
	bool bound; /* what comes later has failed later */
};

/*
 * Strictly on that node. For pages of 4 KiB the file itself keeps this; for huge pages it is the mapping that the
 * faults come through (mm/hugetlb.c, alloc_hugetlb_folio()), and that is this one.
 */
static int part_bind(const struct memory *mem, const struct memory_part *part)
{
	unsigned long mask[MEMORY_NODE_NUMBER / WORD_BITS] = { 0 };

	mask[part->node / WORD_BITS] |= 1UL << part->node % WORD_BITS;
	return syscall(SYS_mbind, mem->host + part->offset, part->size, MPOL_BIND, mask, MEMORY_NODE_NUMBER + 1, 0)
		       ? -errno
		       : 0;
}

static int parts_bind(struct memory *mem, void *shared)
{
	struct population *population = shared;
	int err = 0;

	for (uint32_t i = 0; !err && i < population->nodes.count; i++)
		err = part_bind(mem, &population->nodes.parts[i]);
	for (uint32_t i = 0; !err && i < population->nodes.ndisks; i++)
		err = part_bind(mem, &population->nodes.disks[i]);
	population->bound = !err;
	return err;
}

static int piece_populate(struct memory *mem, void *shared, uint64_t offset, uint64_t len)
{
	(void)shared;
	while (madvise(mem->host + offset, len, MADV_POPULATE_WRITE))
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	return 0;
}

static int places_read(struct memory *mem, void *shared)
{
	struct population *population = shared;

	placement_read(mem, &population->placement);
	return 0;
}

/* Each node has what it was to have, and no other has any. */
static int places_check(const struct memory_nodes *nodes, const struct memory_placement *placement)
{
	if (nodes->count && !placement->count)
		return fail(-ENOTSUP, "memory.nodes: which nodes the pages are on can't be read back here");
	for (uint32_t i = 0; i < nodes->count; i++) {
		uint64_t bytes = 0, wanted = nodes_bytes(nodes, nodes->parts[i].node);

		for (uint32_t n = 0; n < placement->count; n++)
			if (placement->nodes[n].node == nodes->parts[i].node)
				bytes = placement->nodes[n].bytes;
		if (bytes != wanted)
			return fail(-EIO, "memory.nodes: node %u has %" PRIu64 " MiB of it, wanted %" PRIu64,
				    nodes->parts[i].node, bytes >> 20, wanted >> 20);
	}
	return 0;
}

/* Of several nodes, the first that has no page left; -1: it can't be told. */
static int node_empty(const struct memory_request *req)
{
	for (uint32_t i = 0; i < req->nodes.count; i++) {
		int node = (int)req->nodes.parts[i].node;

		if (req->page_size != KIB(4) && hugepage_number(node, req->page_size, "free_hugepages") == 0)
			return node;
	}
	return req->nodes.count == 1 ? (int)req->nodes.parts[0].node : -1;
}

/* EFAULT: what would be SIGBUS for a store, as where a huge page was promised and the node that it is bound to has
 * none. */
static int populate_fail(const struct memory_request *req, const struct population *population, int err)
{
	if (!population->bound)
		return fail(err, "memory.nodes: bind it: %s", strerror(-err));
	if (err == -ENOMEM || err == -EFAULT)
		return fail_no_pages(req, node_empty(req));
	return fail(err, "memory: allocate %" PRIu64 " bytes: %s", req->layout.size, strerror(-err));
}

int memory_populate(struct memory *mem, const struct memory_request *req)
{
	struct population *population = shared_make(sizeof(*population));
	struct crew_work work = { .mem = mem,
				  .crew = &req->crew,
				  .before = parts_bind,
				  .piece = piece_populate,
				  .after = places_read,
				  .shared = population,
				  .progress = req->progress,
				  .progress_ctx = req->progress_ctx };
	int err;

	if (!population)
		return fail(-ENOMEM, "memory: no memory to allocate it");
	population->nodes = req->nodes;
	err = crew_run(&work);
	if (err && !work.reported)
		err = populate_fail(req, population, err);
	if (!err)
		err = places_check(&req->nodes, &population->placement);
	mem->placement = population->placement;
	munmap(population, sizeof(*population));
	return err;
}
