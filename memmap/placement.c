// SPDX-License-Identifier: GPL-2.0-only
/* Where the pages are: their nodes and how many contiguous pieces they make, as the kernel says. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memmap/internal.h"

#define BATCH	     512
#define PAGE_PRESENT (1ULL << 63) /* Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_FRAME   ((1ULL << 55) - 1)

static bool node_add(struct memory_placement *placement, int node, uint64_t bytes)
{
	uint32_t i = 0;

	if (node < 0)
		return false; /* not there, or it could not be asked */
	while (i < placement->count && placement->nodes[i].node != (uint32_t)node)
		i++;
	if (i == MEMORY_NODES_MAX)
		return false;
	if (i == placement->count)
		placement->nodes[placement->count++].node = (uint32_t)node;
	placement->nodes[i].bytes += bytes;
	return true;
}

/* move_pages(2) that moves none tells where each is. */
static bool nodes_read(const struct memory *mem, struct memory_placement *placement)
{
	uint64_t pages = mem->layout.size / mem->page_size;
	void *addresses[BATCH];
	int nodes[BATCH];

	for (uint64_t first = 0; first < pages; first += BATCH) {
		uint64_t count = MIN(pages - first, (uint64_t)BATCH);

		for (uint64_t i = 0; i < count; i++)
			addresses[i] = mem->host + (first + i) * mem->page_size;
		if (syscall(SYS_move_pages, 0, count, addresses, NULL, nodes, 0))
			return false;
		for (uint64_t i = 0; i < count; i++)
			if (!node_add(placement, nodes[i], mem->page_size))
				return false;
	}
	return true;
}

/*
 * Frames of @count pages from the @first on; 0: not to be had. Of a huge page only the first entry is read: the others
 * follow.
 */
static bool frames_read(const struct memory *mem, int pagemap, uint64_t first, uint64_t count, uint64_t *frames)
{
	uint64_t entry = ((uint64_t)(uintptr_t)mem->host + first * mem->page_size) / KIB(4);

	if (mem->page_size == KIB(4))
		return pread(pagemap, frames, count * sizeof(*frames), (off_t)(entry * sizeof(*frames))) ==
		       (ssize_t)(count * sizeof(*frames));
	for (uint64_t i = 0; i < count; i++, entry += mem->page_size / KIB(4))
		if (pread(pagemap, &frames[i], sizeof(*frames), (off_t)(entry * sizeof(*frames))) !=
		    (ssize_t)sizeof(*frames))
			return false;
	return true;
}

static uint64_t runs_read(const struct memory *mem)
{
	uint64_t pages = mem->layout.size / mem->page_size, each = mem->page_size / KIB(4), runs = 0, next = 0;
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool known = pagemap >= 0;
	uint64_t frames[BATCH];

	for (uint64_t first = 0; known && first < pages; first += BATCH) {
		uint64_t count = MIN(pages - first, (uint64_t)BATCH);

		known = frames_read(mem, pagemap, first, count, frames);
		for (uint64_t i = 0; known && i < count; i++) {
			uint64_t frame = frames[i] & PAGE_FRAME; /* 0 for all without CAP_SYS_ADMIN */

			known = frames[i] & PAGE_PRESENT && frame;
			runs += frame != next;
			next = frame + each;
		}
	}
	if (pagemap >= 0)
		close(pagemap);
	return known ? runs : 0;
}

void placement_read(const struct memory *mem, struct memory_placement *placement)
{
	*placement = (struct memory_placement){ 0 };
	if (!nodes_read(mem, placement))
		placement->count = 0;
	placement->runs = runs_read(mem);
}
