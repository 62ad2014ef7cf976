/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_BOOT_BOOT_H
#define VMM_BOOT_BOOT_H

#include <stdint.h>

#include "memmap/memmap.h"

/*
 * A kernel image into guest memory. All that comes from outside (kernel, initrd, command line) is read, checked and
 * written here, by the supervisor, before the guest exists; what the core manager gets is a struct boot_entry.
 */
enum boot_protocol {
	BOOT_LINUX64 = 1, /* Documentation/arch/x86/boot.rst, "64-bit Boot Protocol" */
	BOOT_PVH = 2,	  /* Xen's docs/misc/pvh.pandoc: 32-bit, paging off */
};

/* Where vCPU 0 starts. Flat and of fixed size: it is part of the handoff. */
struct boot_entry {
	uint32_t protocol; /* enum boot_protocol */
	uint32_t reserved;
	uint64_t rip; /* guest-physical */
	uint64_t rsi; /* BOOT_LINUX64: boot_params */
	uint64_t rbx; /* BOOT_PVH: hvm_start_info */
	uint64_t cr3; /* BOOT_LINUX64: identity map of the first 4 GiB */
	uint64_t gdt; /* guest-physical address of the GDT */
	uint32_t gdt_limit;
	uint32_t reserved2;
};

/*
 * The NUMA nodes that a guest sees: ACPI's proximity domains, numbered from 0. Each range of memory and each vCPU is of
 * one.
 */
#define BOOT_DOMAINS_MAX MEMORY_NODES_MAX
#define BOOT_VCPUS_MAX	 255

struct guest_numa {
	uint32_t count; /* of domains; less than 2: the guest isn't told */
	uint32_t nmemory;
	struct {
		uint64_t gpa;
		uint64_t size;
		uint32_t domain;
	} memory[BOOT_DOMAINS_MAX + MEMORY_RANGES];
	uint32_t vcpus[BOOT_VCPUS_MAX];			       /* domain of each */
	uint8_t distances[BOOT_DOMAINS_MAX][BOOT_DOMAINS_MAX]; /* 10: the same; all 0: not known */
};

struct boot_request {
	const char *kernel;  /* path of a bzImage or an ELF vmlinux with a PVH note */
	const char *initrd;  /* path, or NULL */
	const char *cmdline; /* the guest's own part */
	unsigned int vcpus;
	uint32_t tsc_khz;	       /* the guest's TSC frequency */
	const struct guest_numa *numa; /* NULL: one node */
};

/* Fixed places below 1 MiB; what is written there is said in the file that writes it. */
#define BOOT_GDT	  0x500
#define BOOT_PVH_INFO	  0x6000
#define BOOT_PARAMS	  0x7000
#define BOOT_PAGETABLES	  0x9000 /* PML4, PDPT, 4 page directories: 6 pages */
#define BOOT_CMDLINE	  0x20000
#define BOOT_ACPI	  0xe0000 /* RSDP first; up to BOOT_ACPI_END */
#define BOOT_ACPI_END	  0xff000
#define BOOT_RESET_VECTOR 0xffff0
#define BOOT_KERNEL_MIN	  0x100000

/*
 * Load @req into @mem (mapped) and say in *@entry where to start. @cmdline_out, if not NULL, gets the whole command
 * line (malloced, the caller's). Errors are reported and name the file: -ENOENT, -EISDIR, -ENOEXEC (not a kernel),
 * -EFBIG (too big for the memory), -E2BIG (command line too long), ...
 */
int boot_load(const struct boot_request *req, const struct memory *mem, struct boot_entry *entry, char **cmdline_out);

/*
 * What boot_load would say of the files and the command line, without any memory (`nohype check`): @memory_size in
 * bytes.
 */
int boot_check(const struct boot_request *req, uint64_t memory_size);

/*
 * acpi.c: write the ACPI tables for @vcpus at BOOT_ACPI; @numa may be NULL. -ENOSPC if they don't fit (cannot be: 255
 * vCPUs do).
 */
int acpi_write(const struct memory *mem, unsigned int vcpus, const struct guest_numa *numa);

/* cmdline.c: what nohype adds (timer, TSC, ends) and the guest's own part; malloced. -E2BIG, -ENOMEM, reported. */
int cmdline_build(const struct boot_request *req, uint32_t max, char **cmdline);

#endif
