/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMMAP_MEMMAP_H
#define MEMMAP_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

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
 * nodes.c: the host's NUMA nodes, and which part of the memory fd is to be on which. Parts are one behind the other,
 * multiples of the page size, and no node is there twice. .count 0: the memory may be anywhere. Disks follow the parts,
 * each as a whole on one of their nodes.
 */
#define MEMORY_NODES_MAX   16
#define MEMORY_NODE_NUMBER 1024 /* nodes are numbered below this: CONFIG_NODES_SHIFT is 10 at most */

struct memory_part {
	uint32_t node; /* the host's number */
	uint64_t offset;
	uint64_t size; /* bytes */
};

struct memory_nodes {
	uint32_t count;
	struct memory_part parts[MEMORY_NODES_MAX];
	uint32_t ndisks;
	struct memory_part disks[MEMORY_DISKS];
};

/* What is to be on @node: bytes, its part and disks. */
uint64_t nodes_bytes(const struct memory_nodes *nodes, unsigned int node);

/* The host's nodes that have memory, smallest first, at most @max: how many. 0: a kernel without NUMA. */
unsigned int nodes_with_memory(unsigned int *nodes, unsigned int max);

/* -EINVAL, reported: this host has no such node, or it has no memory. */
int node_check(unsigned int node);

/* The node of a host CPU, or -1 where the kernel knows none; the distance of two nodes (10: the same), 0: not known. */
int node_of_cpu(unsigned int cpu);
unsigned int node_distance(unsigned int from, unsigned int to);

/*
 * crew.c: a process that works on guest memory, with a thread on each of @cores; where a core can't be had (another
 * cgroup's), on those that this process may use.
 */
struct memory_crew {
	const unsigned int *cores; /* the caller's */
	unsigned int count;	   /* 0: a thread for each CPU that this process may use */
	/* May be NULL. Called in the process before its threads are pinned: to go where they can be. */
	void (*enter)(const struct memory_crew *crew);
};

/* Called as memory is populated; @done and @total in bytes. */
typedef void memory_progress_fn(void *ctx, uint64_t done, uint64_t total);

/* What is read back of it when it is cleared. */
enum memory_clear_how { MEMORY_CLEAR_SAMPLE, MEMORY_CLEAR_VERIFY };

/*
 * named.c: memory as a file with a name in a hugetlbfs folder. It outlives all of its holders, so that whoever comes
 * next can clear it (left.c). Huge pages alone; the file takes no seals: see memory_resizable.
 */
#define MEMORY_FOLDER_MAX 512 /* bytes of the folder's path, with the 0, as is the next */
#define MEMORY_FILE_MAX	  80

#define MEMORY_RINGS "~rings" /* ends the name of that of a VM's rings: no VM's name has such a character */

struct memory_place {
	const char *folder;	    /* the caller's; NULL: it is to be a memfd */
	char file[MEMORY_FILE_MAX]; /* its name there */
	const char *state;	    /* the folder of the records */
	enum memory_clear_how how;  /* for who must clear it in our stead */
};

/* What is wanted. */
struct memory_request {
	const char *key; /* of the configuration, for messages; NULL: "memory.size" */
	struct memory_layout layout;
	uint64_t page_size; /* bytes: 4 KiB, 2 MiB or 1 GiB */
	struct memory_place place;
	struct memory_nodes nodes;
	struct memory_crew crew;
	uint64_t rings; /* bytes to be asked for beside it, in such pages, on any node: checked and added with it */
	bool reserve;	/* huge pages will have been added for it by pool_add: memory_check counts on that */
	memory_progress_fn *progress; /* may be NULL */
	void *progress_ctx;
};

/* placement.c: where the pages are, read back from the kernel. */
struct memory_placement {
	uint64_t runs;	/* physically contiguous pieces; 0: not known (that takes CAP_SYS_ADMIN) */
	uint32_t count; /* nodes; 0: not known */
	struct {
		uint32_t node;
		uint64_t bytes;
	} nodes[MEMORY_NODES_MAX];
};

/*
 * memory.c: the guest's memory as a memfd whose size is locked. Reserve, then map to fill it, then unmap: while the
 * guest runs nothing of the supervisor's maps it. The fd stays ours to the end, so that it can be cleared.
 */
struct memory {
	int fd;		    /* -1: none */
	uint8_t *host;	    /* mapping of the whole fd, or NULL */
	uint64_t page_size; /* bytes: 4 KiB, 2 MiB or 1 GiB */
	struct memory_layout layout;
	struct memory_placement placement; /* when it was reserved */
	struct memory_file *file;	   /* NULL: it is a memfd */
};

/*
 * Make the memory fd: all its pages allocated and zeroed now by the crew, or -ENOMEM, never at first touch; each part
 * on its node (MPOL_BIND) and seen to be there; size-locked (F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL) if it is a memfd.
 */
int memory_reserve(struct memory *mem, const struct memory_request *req);

/* What memory_reserve would refuse now; takes nothing, so another may still come first. Negative errno, reported. */
int memory_check(const struct memory_request *req);

/* Map it shared and writable, left out of core dumps and of children; memory_unmap undoes it. */
int memory_map(struct memory *mem);
void memory_unmap(struct memory *mem);

/*
 * clear.c: overwrite all of it with zeroes, by the crew and with the fastest of the processor's stores, measured on it.
 * A word of each 64 KiB is read back at once; with MEMORY_CLEAR_VERIFY all of it is, when all is written. Whoever else
 * maps it must be dead. Negative errno, reported; -EIO: something didn't stay zero.
 */
struct memory_cleared {
	uint64_t bytes;	 /* 0: not done */
	uint64_t failed; /* bytes, not among those: in pages of which the hardware lost some (memory_failed_fate) */
	int64_t ns;
	unsigned int threads;
	char stores[16]; /* which it was: "clzero" */
	bool verified;	 /* all of it was read back */
};

int memory_clear(struct memory *mem, const struct memory_crew *crew, enum memory_clear_how how,
		 struct memory_cleared *cleared);

/* What the kernel does with pages of @page_size bytes that have failed, for people. */
const char *memory_failed_fate(uint64_t page_size);

/*
 * Unmap if mapped, close the fd, and remove the file if it has a name: the pages go back to the host once no one else
 * holds it. Safe on { .fd = -1 }.
 */
void memory_release(struct memory *mem);

/* It couldn't be cleared: a file with a name stays, for left.c, when it is released. Its path; NULL: it is a memfd. */
const char *memory_leave(struct memory *mem);

/*
 * Who but its holders, this user and root can change its size? NULL: nobody, as was read back; or what stands against
 * it, for people. A memfd has its seals. A file with a name is out of reach: mode 0600, in a folder that nobody else
 * writes to, under no other name; those who are given its fd must be unable to use it so.
 */
const char *memory_resizable(const struct memory *mem);

/*
 * left.c: files of VMs whose supervisors were killed, by their records in the folder @state, each of which is locked as
 * long as its supervisor lives. memory_recover clears the one that is called @file and was supervisor @pid's (0:
 * anyone's), and removes it: 1; 0: there is none, or its supervisor lives. It waits some seconds for processes that
 * are about to die and have it mapped. A negative errno, reported with the file's path: it stays.
 */
int memory_recover(const char *state, const char *file, pid_t pid, struct memory_cleared *cleared);

/*
 * The fd of such a one, for who clears it otherwise. -ENOENT: there is none. Any other error, reported: there is one,
 * or it can't be told, and it can't be had; it stays. And its removal then.
 */
int memory_left_open(const char *state, const char *file, pid_t pid);
void memory_left_remove(const char *state, const char *file, pid_t pid);

/*
 * Call @each for all of them, with the supervisor's number. The first negative errno, reported, of a record of which it
 * can't be told whether it is one of them; it stays.
 */
int memory_left_each(const char *state, void (*each)(void *context, const char *file, pid_t pid), void *context);

/*
 * The one way into mapped guest memory: the bytes at guest-physical [@gpa, @gpa + @len), or NULL, with a message that
 * names @what, if they aren't all memory of one range.
 */
void *memory_at(const struct memory *mem, uint64_t gpa, uint64_t len, const char *what);

/*
 * pool.c: huge pages added to the host's pools for one VM, and taken out again. What is added stands in a record in the
 * folder @state before it is added; the record is locked as long as its holder lives. One that nobody holds is of a VM
 * that was killed: pool_recover gives its pages back, and so does the next pool_add.
 */
struct pool {
	int fd; /* the record, locked; -1: nothing was added */
	char path[128];
	uint64_t page_size;
	uint32_t count;
	struct {
		int node; /* -1: a kernel without NUMA */
		uint64_t added;
	} nodes[MEMORY_NODES_MAX];
};

/*
 * As many pages as @req is of, and its rings, in the pools of its nodes; where it has none, of the host's, beginning
 * with @req->crew's. All or none: -ENOMEM (the host has no more free memory in one piece), -EACCES, others; reported.
 */
int pool_add(struct pool *pool, const struct memory_request *req, const char *state);

/* Exactly as many out again as were added. The memory must have been released, or its pages stay until it is. */
void pool_give_back(struct pool *pool, const char *state);

/* What the dead have left in @state, given back: pages, in *@pages. Negative errno, reported. */
int pool_recover(const char *state, uint64_t *pages);

/*
 * available.c: in the largest unit that says it exactly: "512M", as a configuration has it. hugepages_count: how many
 * huge pages of this size @node has, and how many of these are free; false: the kernel has no such pool there.
 */
#define SIZE_TEXT 32
const char *size_exact(char text[SIZE_TEXT], uint64_t bytes);
bool hugepages_count(unsigned int node, uint64_t page_size, uint64_t *all, uint64_t *free);

#endif
