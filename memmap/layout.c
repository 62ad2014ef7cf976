// SPDX-License-Identifier: GPL-2.0-only
#include "memmap/memmap.h"

static void range_add(struct memory_layout *layout, uint64_t gpa, uint64_t size, enum memory_kind kind)
{
	struct memory_range *range = &layout->ranges[layout->count++];

	range->gpa = gpa;
	range->size = size;
	range->offset = layout->size;
	range->kind = kind;
	layout->size += size;
}

/* One range up to @hole_start, and what doesn't fit there from @hole_end on. */
static void layout_around(struct memory_layout *layout, uint64_t size, uint64_t hole_start, uint64_t hole_end)
{
	uint64_t low = MIN(size, hole_start);

	range_add(layout, 0, low, MEMORY_RAM);
	if (size > low)
		range_add(layout, hole_end, size - low, MEMORY_RAM);
}

void layout_plan(struct memory_layout *layout, uint64_t size)
{
	*layout = (struct memory_layout){ 0 };
	if (size < MEMORY_SMALL)
		layout_around(layout, size, MEMORY_SMALL_HOLE_START, MEMORY_SMALL_HOLE_END);
	else
		layout_around(layout, size, MEMORY_HOLE_START, MEMORY_HOLE_END);
}

void layout_add_disk(struct memory_layout *layout, uint64_t size)
{
	const struct memory_range *last = &layout->ranges[layout->count - 1];

	range_add(layout, align_up(MAX(last->gpa + last->size, MEMORY_HOLE_END), GIB(1)), size, MEMORY_DISK);
}

uint64_t layout_ram(const struct memory_layout *layout)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < layout->count; i++)
		if (layout->ranges[i].kind == MEMORY_RAM)
			size += layout->ranges[i].size;
	return size;
}

const struct memory_range *layout_disk(const struct memory_layout *layout, unsigned int nth)
{
	for (uint32_t i = 0; i < layout->count; i++)
		if (layout->ranges[i].kind == MEMORY_DISK && nth-- == 0)
			return &layout->ranges[i];
	return NULL;
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
