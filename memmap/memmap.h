/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMMAP_MEMMAP_H
#define MEMMAP_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

/*
 * layout.c: where guest-physical memory lies. The gigabyte below 4 GiB is left free for devices (I/O APIC, local
 * APIC, PCI windows), so memory is one range up to 3 GiB, and a second one from 4 GiB on for what doesn't fit.
 *
 * A small guest has its hole elsewhere. x86 kernels decompress themselves to 16 MiB and up, never below
 * (arch/x86/boot/compressed/head_64.S, LOAD_PHYSICAL_ADDR), and Debian's need 51 to 64 MiB there: with 64 MiB from
 * 0 on none would fit. So but for the first 2 MiB its memory starts where the kernel does.
 */
#define MEMORY_HOLE_START	GIB(3)
#define MEMORY_HOLE_END		GIB(4)
#define MEMORY_SMALL		MIB(128) /* less than this is small */
#define MEMORY_SMALL_HOLE_START MIB(2)
#define MEMORY_SMALL_HOLE_END	MIB(16)
#define MEMORY_MIN		MIB(64)
#define MEMORY_MAX		GIB(4096) /* 46 bits of guest-physical address are there on any host; keep well below */
#define MEMORY_DISKS		4	  /* ranges that a guest sees as persistent memory */
#define MEMORY_RANGES		(2 + MEMORY_DISKS)
#define MEMORY_GPA_MAX		GIB(8192) /* all ends below it, disks included */

/* What the guest is told that a range is. */
enum memory_kind {
	MEMORY_RAM = 1,
	MEMORY_DISK, /* persistent memory: a disk's image */
};

struct memory_range {
	uint64_t gpa;	 /* guest-physical address */
	uint64_t size;	 /* bytes */
	uint64_t offset; /* into the memory fd */
	uint32_t kind;	 /* enum memory_kind */
	uint32_t reserved;
};

struct memory_layout {
	uint64_t size; /* bytes, all ranges together: the memory fd's size */
	uint32_t count;
	struct memory_range ranges[MEMORY_RANGES];
};

/* Lay out @size bytes (a multiple of 2 MiB, MEMORY_MIN to MEMORY_MAX, the caller has checked). */
void layout_plan(struct memory_layout *layout, uint64_t size);

/*
 * One more range, of @size bytes (a multiple of 2 MiB), for a disk: above all others, from 4 GiB on, on a GiB of its
 * own so that pages of any size fit. MEMORY_DISKS at most; memory and disks together have MEMORY_MAX at most.
 */
void layout_add_disk(struct memory_layout *layout, uint64_t size);

/* Bytes of memory without the disks. */
uint64_t layout_ram(const struct memory_layout *layout);

/* The range of disk @nth, from 0; NULL if there are no so many. */
const struct memory_range *layout_disk(const struct memory_layout *layout, unsigned int nth);

/* Is [@gpa, @gpa + @len) memory, in one range? If so *@offset is its place in the memory fd. */
bool layout_find(const struct memory_layout *layout, uint64_t gpa, uint64_t len, uint64_t *offset);

/*
 * memory.c: the guest's memory as a memfd whose size is locked. Reserve, then map to fill it, then unmap: while the
 * guest runs nothing of the supervisor's maps it. The fd stays ours to the end, so that it can be cleared.
 */
struct memory {
	int fd;		    /* -1: none */
	uint8_t *host;	    /* mapping of the whole fd, or NULL */
	uint64_t page_size; /* bytes: 4 KiB, 2 MiB or 1 GiB */
	struct memory_layout layout;
};

/* Called as memory is populated; @done and @total in bytes. */
typedef void memory_progress_fn(void *ctx, uint64_t done, uint64_t total);

/*
 * Make the memory fd of @layout's size: pages of @page_size allocated now, all of them or -ENOMEM, never at first
 * touch; zero; size-locked (F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL). @progress may be NULL.
 */
int memory_reserve(struct memory *mem, const struct memory_layout *layout, uint64_t page_size,
		   memory_progress_fn *progress, void *ctx);

/* What memory_reserve would refuse now; takes nothing, so another may still come first. Negative errno, reported. */
int memory_check(const struct memory_layout *layout, uint64_t page_size);

/* Map it shared and writable, left out of core dumps and of children; memory_unmap undoes it. */
int memory_map(struct memory *mem);
void memory_unmap(struct memory *mem);

/*
 * clear.c: overwrite all of it with zeroes, through a mapping made for it, and read it back; with a thread for each CPU
 * that this process may use. Whoever else maps it must be dead. Negative errno, reported; -EIO: something didn't stay
 * zero.
 */
int memory_clear(struct memory *mem);

/* Unmap if mapped, and close the fd: the pages go back to the host once no one else holds it. Safe on { .fd = -1 }. */
void memory_release(struct memory *mem);

/*
 * The one way into mapped guest memory: the bytes at guest-physical [@gpa, @gpa + @len), or NULL, with a message that
 * names @what, if they aren't all memory of one range.
 */
void *memory_at(const struct memory *mem, uint64_t gpa, uint64_t len, const char *what);

#endif
