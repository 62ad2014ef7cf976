// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/pvh.h"

#include <errno.h>
#include <string.h>

#include "vmm/boot/plan.h"

/* What is written at BOOT_PVH_INFO. */
struct pvh_area {
	struct hvm_start_info info;
	struct hvm_modlist_entry initrd;
	struct hvm_memmap_entry memmap[E820_MAX];
};

_Static_assert(sizeof(struct pvh_area) <= BOOT_PARAMS - BOOT_PVH_INFO, "ends below boot_params");

static unsigned int memmap_fill(const struct memory_layout *layout, struct hvm_memmap_entry *memmap)
{
	struct boot_e820_entry map[E820_MAX];
	unsigned int count = e820_build(layout, map);

	for (unsigned int i = 0; i < count; i++)
		memmap[i] = (struct hvm_memmap_entry){ .addr = map[i].addr, .size = map[i].size, .type = map[i].type };
	return count;
}

int pvh_write_info(const struct boot_plan *plan, const struct memory *mem)
{
	struct pvh_area *area = memory_at(mem, BOOT_PVH_INFO, sizeof(*area), "hvm_start_info");

	if (!area)
		return -EFAULT;
	memset(area, 0, sizeof(*area));
	area->info.magic = HVM_START_MAGIC;
	area->info.version = HVM_START_VERSION;
	area->info.cmdline_paddr = BOOT_CMDLINE;
	area->info.rsdp_paddr = BOOT_ACPI;
	area->info.memmap_paddr = BOOT_PVH_INFO + offsetof(struct pvh_area, memmap);
	area->info.memmap_entries = memmap_fill(plan->layout, area->memmap);
	if (!plan->initrd_gpa)
		return 0;
	area->info.nr_modules = 1;
	area->info.modlist_paddr = BOOT_PVH_INFO + offsetof(struct pvh_area, initrd);
	area->initrd.paddr = plan->initrd_gpa;
	area->initrd.size = plan->initrd.size;
	return 0;
}
