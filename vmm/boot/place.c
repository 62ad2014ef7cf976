// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

#include <errno.h>
#include <inttypes.h>

#define PAGE_SIZE   KIB(4)
#define MEMORY_STEP MIB(2) /* a guest's memory comes in steps of this */

static uint64_t mib_up(uint64_t bytes)
{
	return (bytes + MIB(1) - 1) >> 20;
}

static bool in_memory(const struct memory_layout *layout, struct span span)
{
	uint64_t offset;

	return span.end <= MEMORY_HOLE_START && layout_find(layout, span.start, span.end - span.start, &offset);
}

/* The least memory.size (in steps of 2 MiB) with which [@start, @end) is memory, and in one range. */
static uint64_t size_for(uint64_t start, uint64_t end)
{
	uint64_t hole = MEMORY_SMALL_HOLE_END - MEMORY_SMALL_HOLE_START;

	if (start >= MEMORY_SMALL_HOLE_END && align_up(end - hole, MEMORY_STEP) < MEMORY_SMALL)
		return MAX(align_up(end - hole, MEMORY_STEP), MEMORY_MIN);
	return MAX(align_up(end, MEMORY_STEP), MEMORY_SMALL);
}

int window_check(const struct boot_plan *plan)
{
	const struct span *window = &plan->window;

	if (window->start < BOOT_KERNEL_MIN || window->end > MEMORY_HOLE_START)
		return file_fail(&plan->kernel, -EFBIG,
				 "wants to be at 0x%" PRIx64 " to 0x%" PRIx64 ": kernels lie between 1 MiB and 3 GiB",
				 window->start, window->end);
	if (in_memory(plan->layout, *window))
		return 0;
	return file_fail(&plan->kernel, -EFBIG,
			 "needs %" PRIu64 " MiB of memory from %" PRIu64 " MiB on: too big for memory.size \"%" PRIu64
			 "M\": give it \"%" PRIu64 "M\" or more",
			 mib_up(window->end - window->start), window->start >> 20, layout_ram(plan->layout) >> 20,
			 size_for(window->start, window->end) >> 20);
}

/* The highest place for @size bytes in [@start, @end); 0 if there is none. */
static uint64_t place_in(uint64_t start, uint64_t end, uint64_t size)
{
	uint64_t gpa;

	if (start >= end || end - start < size)
		return 0;
	gpa = align_down(end - size, PAGE_SIZE);
	return gpa >= start ? gpa : 0;
}

/* In one range of memory: above the kernel's window if it fits there, else below. */
static uint64_t place_in_range(const struct boot_plan *plan, const struct memory_range *range)
{
	uint64_t start = MAX(range->gpa, BOOT_KERNEL_MIN);
	uint64_t end = MIN(range->gpa + range->size, plan->initrd_limit);
	uint64_t gpa = place_in(MAX(start, plan->window.end), end, plan->initrd.size);

	return gpa ? gpa : place_in(start, MIN(end, plan->window.start), plan->initrd.size);
}

/* As high as it can be, as the boot protocol advises: what is below stays whole for the kernel. */
int initrd_place(struct boot_plan *plan)
{
	uint64_t least = align_up(plan->window.end, PAGE_SIZE) + MIN(plan->initrd.size, GIB(4));

	if (plan->initrd.fd < 0)
		return 0;
	for (uint32_t i = plan->layout->count; i-- > 0 && !plan->initrd_gpa;)
		plan->initrd_gpa = place_in_range(plan, &plan->layout->ranges[i]);
	if (plan->initrd_gpa)
		return 0;
	if (least > plan->initrd_limit)
		return file_fail(&plan->initrd, -EFBIG,
				 "%" PRIu64 " MiB: more than this kernel takes (%" PRIu64 " MiB)",
				 mib_up(plan->initrd.size),
				 (plan->initrd_limit - MIN(plan->initrd_limit, plan->window.end)) >> 20);
	return file_fail(&plan->initrd, -EFBIG,
			 "%" PRIu64 " MiB: doesn't fit in memory.size \"%" PRIu64 "M\" beside the kernel (%" PRIu64
			 " MiB from %" PRIu64 " MiB on): give it \"%" PRIu64 "M\" or more",
			 mib_up(plan->initrd.size), layout_ram(plan->layout) >> 20,
			 mib_up(plan->window.end - plan->window.start), plan->window.start >> 20,
			 size_for(plan->window.start, least) >> 20);
}
