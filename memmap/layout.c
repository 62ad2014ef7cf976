// SPDX-License-Identifier: GPL-2.0-only
#include "memmap/memmap.h"

static void range_add(struct memory_layout *layout, uint64_t gpa, uint64_t size)
{
	struct memory_range *range = &layout->ranges[layout->count++];

	range->gpa = gpa;
	range->size = size;
	range->offset = layout->size;
	layout->size += size;
}

/* One range up to @hole_start, and what doesn't fit there from @hole_end on. */
static void layout_around(struct memory_layout *layout, uint64_t size, uint64_t hole_start, uint64_t hole_end)
{
	uint64_t low = MIN(size, hole_start);

	range_add(layout, 0, low);
	if (size > low)
		range_add(layout, hole_end, size - low);
}

void layout_plan(struct memory_layout *layout, uint64_t size)
{
	*layout = (struct memory_layout){ 0 };
	if (size < MEMORY_SMALL)
		layout_around(layout, size, MEMORY_SMALL_HOLE_START, MEMORY_SMALL_HOLE_END);
	else
		layout_around(layout, size, MEMORY_HOLE_START, MEMORY_HOLE_END);
}

bool layout_find(const struct memory_layout *layout, uint64_t gpa, uint64_t len, uint64_t *offset)
{
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct memory_range *range = &layout->ranges[i];

		if (gpa < range->gpa || !range_fits(gpa - range->gpa, len, range->size))
			continue;
		*offset = range->offset + (gpa - range->gpa);
		return true;
	}
	return false;
}
