/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_BOOT_PVH_H
#define VMM_BOOT_PVH_H

#include <stdint.h>

/* What a PVH kernel finds at EBX: Xen's public/arch-x86/hvm/start_info.h, version 1. */
#define HVM_START_MAGIC	  0x336ec578
#define HVM_START_VERSION 1

struct hvm_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags; /* 0: neither privileged nor the initial domain */
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct hvm_modlist_entry {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr; /* 0: none */
	uint64_t reserved;
};

struct hvm_memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type; /* as e820's */
	uint32_t reserved;
};

_Static_assert(sizeof(struct hvm_start_info) == 56, "version 1");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32 && sizeof(struct hvm_memmap_entry) == 24, "as Xen has them");

#endif
