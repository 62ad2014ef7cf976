// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

/* Where a PC's BIOS keeps its data: kernels look for memory below it, and don't trust what lies above. */
#define EBDA_START 0x9fc00

static void entry_add(struct boot_e820_entry *map, unsigned int *count, uint64_t start, uint64_t end, uint32_t type)
{
	if (start < end)
		map[(*count)++] = (struct boot_e820_entry){ .addr = start, .size = end - start, .type = type };
}

unsigned int e820_build(const struct memory_layout *layout, struct boot_e820_entry map[E820_MAX])
{
	unsigned int count = 0;

	entry_add(map, &count, 0, EBDA_START, E820_RAM);
	entry_add(map, &count, EBDA_START, BOOT_ACPI, E820_RESERVED);
	entry_add(map, &count, BOOT_ACPI, BOOT_ACPI_END, E820_ACPI);
	entry_add(map, &count, BOOT_ACPI_END, BOOT_KERNEL_MIN, E820_RESERVED);
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct memory_range *range = &layout->ranges[i];

		entry_add(map, &count, MAX(range->gpa, BOOT_KERNEL_MIN), range->gpa + range->size,
			  range->kind == MEMORY_DISK ? E820_PMEM : E820_RAM);
	}
	return count;
}

_Static_assert(E820_MAX >= 4 + MEMORY_RANGES, "a place for each entry");
_Static_assert(E820_MAX <= E820_MAX_ENTRIES_ZEROPAGE, "and boot_params has it");
