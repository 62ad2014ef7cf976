/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_BOOT_PLAN_H
#define VMM_BOOT_PLAN_H

#include <asm/bootparam.h>
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/boot/boot.h"

/*
 * What the files of this folder share. A boot is planned first, from the files' headers and the memory's layout alone
 * (boot_check stops there), then written.
 */

/* Guest-physical [start, end). */
struct span {
	uint64_t start;
	uint64_t end;
};

struct boot_file {
	int fd;		  /* -1: none */
	const char *what; /* "kernel" or "initrd": what messages begin with */
	const char *path; /* the request's */
	uint64_t size;	  /* bytes, when it was opened */
};

struct bzimage {
	struct setup_header header;
	uint64_t offset; /* of the protected-mode part in the file */
	uint64_t load;	 /* where that goes */
};

#define ELF_SEGMENTS_MAX 32 /* vmlinux has 2 to 5 */

struct elf_image {
	uint32_t count;
	Elf64_Phdr segments[ELF_SEGMENTS_MAX]; /* PT_LOAD with something in it, checked */
	uint32_t entry;			       /* physical, 32-bit */
};

struct boot_plan {
	const struct boot_request *req;
	const struct memory_layout *layout;
	struct boot_file kernel;
	struct boot_file initrd;
	enum boot_protocol protocol;
	struct bzimage bz;     /* BOOT_LINUX64 */
	struct elf_image elf;  /* BOOT_PVH */
	struct span window;    /* what the kernel writes to before it looks at its memory map */
	uint64_t initrd_limit; /* the initrd ends at or below this */
	uint64_t initrd_gpa;   /* 0: none */
	uint32_t cmdline_max;  /* bytes, without the 0 */
	char *cmdline;
};

/* file.c: a file of the user's, read through one fd. Errors are reported. */
int file_open(struct boot_file *file, const char *what, const char *path);
void file_close(struct boot_file *file);
int file_read(const struct boot_file *file, void *to, uint64_t offset, uint64_t len);

/* As fail(), after "KERNEL "PATH": ". */
int file_fail(const struct boot_file *file, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* identify.c: tell the kernel's format by its first bytes, or say what else it is: -ENOEXEC. */
int kernel_identify(const struct boot_file *kernel, enum boot_protocol *protocol);

/* bzimage.c, elf.c: check the kernel and fill the plan's part of it, window, initrd_limit and cmdline_max. */
int bzimage_plan(struct boot_plan *plan);
int elf_plan(struct boot_plan *plan);

/* The same two: the planned kernel into memory, with its protocol's information for it. */
int bzimage_write(const struct boot_plan *plan, const struct memory *mem, struct boot_entry *entry);
int elf_write(const struct boot_plan *plan, const struct memory *mem, struct boot_entry *entry);

/* pvh.c: hvm_start_info and what it points to. */
int pvh_write_info(const struct boot_plan *plan, const struct memory *mem);

/* place.c: does the window lie in memory, with what the message says to do if not; a place for the initrd beside it. */
int window_check(const struct boot_plan *plan);
int initrd_place(struct boot_plan *plan);

/* tables.c: GDT, page tables, and what stands where a PC has its reset vector. */
int tables_write(const struct memory *mem, enum boot_protocol protocol, struct boot_entry *entry);

/* e820.c: the memory map that the guest is told, its types being e820's; returns how many. */
#define E820_MAX      (4 + MEMORY_RANGES)
#define E820_RAM      1
#define E820_RESERVED 2
#define E820_ACPI     3
#define E820_PMEM     12 /* arch/x86/include/asm/e820/types.h, E820_TYPE_PRAM */
unsigned int e820_build(const struct memory_layout *layout, struct boot_e820_entry map[E820_MAX]);

#endif
