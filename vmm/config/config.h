/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CONFIG_CONFIG_H
#define VMM_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pinning/pinning.h"
#include "pinning/resctrl/resctrl.h"
#include "sriov/sriov.h"

/*
 * What was asked for: the first of the four structs that travel (vm_config, vm_plan, handoff, vm). Checked against
 * itself alone; whether this host can do it is the plan's question.
 */
#define VM_VCPUS_MAX	255 /* APIC ids of 8 bits; more needs x2APIC from the first instruction on */
#define VM_CORES_MAX	VM_VCPUS_MAX
#define VM_NAME_MAX	64	  /* bytes, without the 0: [A-Za-z0-9][A-Za-z0-9._-]* */
#define VM_CORE_LIMIT	8192	  /* host CPU numbers are below it: CONFIG_NR_CPUS' largest value on x86 and arm64 */
#define VM_CONFIG_MAX	(1 << 20) /* bytes of a configuration file */
#define VM_NODES_MAX	16	  /* MEMORY_NODES_MAX of memmap/memmap.h */
#define VM_NODE_LIMIT	1024	  /* NUMA nodes are numbered below it */
#define VM_EVIDENCE_MAX 64	  /* words */
#define VM_DISKS_MAX	4	  /* MEMORY_DISKS of memmap/memmap.h */
#define VM_CMDLINE_MAX	2047	  /* COMMAND_LINE_SIZE of x86 Linux is 2048 with its 0 */

/* Kinds of exits that a seal can let through by name: "seal.except". */
enum except_kind {
	EXCEPT_EOI,   /* writes of the local APIC's EOI register */
	EXCEPT_CPUID, /* CPUID */
	EXCEPT_IPI,   /* accesses of the local APIC's interrupt command register */
	EXCEPT_COUNT,
};

#define EXCEPT_RATE_MAX 1000000
#define EXCEPT_ANY_RATE UINT32_MAX

/* What makes a forbidden exit fatal. */
enum tripwire_kind {
	TRIPWIRE_KERNEL, /* a perf event with sigtrap: before the guest's next instruction */
	TRIPWIRE_POLLED, /* KVM's statistics, read every few milliseconds: for users without privilege */
};

/*
 * What a VM is promised, and can require. Each is read back from the kernel at the seal
 * (vmm/supervisor/guarantees.h).
 */
enum guarantee_id {
	GUARANTEE_CORES,     /* each vCPU on a core of its own that is isolated */
	GUARANTEE_MEMORY,    /* all there, its size locked, in pages that stay */
	GUARANTEE_PAGES,     /* all of it is in KVM's tables */
	GUARANTEE_DEVICES,   /* boot's are gone */
	GUARANTEE_EXITS,     /* a forbidden exit ends it */
	GUARANTEE_CALLS,     /* system calls are filtered for the last time */
	GUARANTEE_FUNCTIONS, /* its PCI functions are its alone, and configured as asked */
	GUARANTEE_CACHE,     /* its shares of caches and bandwidth are as asked, its ways nobody else's */
	GUARANTEE_COUNT,
};

#define REQUIRE_ALL UINT32_MAX

/* A share of the memory on one of the host's NUMA nodes. */
struct vm_node {
	unsigned int node;
	uint64_t size; /* bytes; 0: an equal share, and so are all others */
};

/* When a disk's content is written back. */
enum disk_save_when {
	DISK_SAVE_NEVER,
	DISK_SAVE_IMAGE, /* "on-stop": in place of its image */
	DISK_SAVE_PATH,	 /* to a file of its own */
};

/* One of "disks": persistent memory, with an image's content. */
struct disk_config {
	char *image;	 /* path, as the kernel's */
	uint64_t size;	 /* bytes, a multiple of 2 MiB; 0: as large as the image */
	uint32_t format; /* enum disk_format of disks/disks.h; 0: as the image's name says */
	enum disk_save_when save;
	char *save_path; /* DISK_SAVE_PATH */
	bool save_any;	 /* however the VM ended; else after a clean end alone */
};

/* Whether nohyped starts a VM again that has ended. */
enum restart_policy { RESTART_NEVER, RESTART_ON_FAILURE, RESTART_ALWAYS };

struct restart {
	enum restart_policy policy;
	uint64_t delay;	      /* ms, doubled each time */
	unsigned int limit;   /* times */
	bool after_violation; /* then too */
};

struct vm_config {
	char *name;	      /* owned, as are all strings; never NULL after config_finish */
	char *kernel;	      /* path, relative ones already joined to the file's folder */
	char *initrd;	      /* path or NULL */
	char *cmdline;	      /* the guest's own part, "" if none */
	uint64_t memory_size; /* bytes, a multiple of 2 MiB */
	uint64_t page_size;   /* bytes: 4 KiB, 2 MiB or 1 GiB */
	bool memory_reserve;  /* huge pages are added to the host's pools for it, and taken out at its end */
	char *memory_folder;  /* of hugetlbfs, for a file with a name; NULL: a memfd */
	bool clear_verify;    /* all of the memory is read back when it was cleared */
	unsigned int nnodes;  /* 0: memory from wherever there is some */
	struct vm_node nodes[VM_NODES_MAX];
	unsigned int vcpus;	       /* 1 to VM_VCPUS_MAX */
	bool vcpus_given;	       /* not the default: must agree with the cores */
	unsigned int seal_level;       /* enum seal_level of vmm/core/handoff.h */
	bool seal_given;	       /* not the default: refused at the start where it can't be had */
	uint32_t except[EXCEPT_COUNT]; /* exits a second that are let through, or EXCEPT_ANY_RATE; 0: none */
	enum tripwire_kind tripwire;
	uint64_t evidence_gpa; /* guest memory that is printed at the end, before it is cleared; in 64-bit words */
	unsigned int evidence_words;
	uint64_t seal_within;	   /* ms from the start until the guest must have asked; 0: it need not */
	uint64_t seal_after;	   /* ms from the start until it is sealed unasked; 0: never */
	uint64_t seal_settle;	   /* ms from the seal until `silent` is so */
	uint32_t require;	   /* bit 1 << enum guarantee_id: without it the VM is not to run */
	bool rings;		   /* memory that guest and host share, for console, log and heartbeat */
	bool rings_given;	   /* not the default, or what a heartbeat makes of it */
	uint64_t beat_every;	   /* ms in which a heartbeat is wanted; 0: none is */
	unsigned int beats_missed; /* so many times that without one are too long */
	bool beat_abort;	   /* which ends the VM, or else is reported */
	uint64_t watch_every;	   /* ms between two looks at what the host has changed, at least 1000 */
	bool watch_abort;	   /* a guarantee that was lost ends the VM, or else is reported */
	char *report;		   /* path, as the kernel's, or NULL: none is written */
	struct restart restart;
	enum smt smt;
	unsigned int ndisks;
	struct disk_config disks[VM_DISKS_MAX];
	unsigned int nfunctions;
	struct function_request functions[FUNCTIONS_MAX];
	struct disk_config namespaces[FUNCTIONS_MAX]; /* of those that are NVMe controllers; .image NULL: zeros */
	struct cache_wanted cache;		      /* shares of caches and memory bandwidth */
	unsigned int ncores;			      /* 0: "auto" */
	unsigned int cores[VM_CORES_MAX];	      /* host CPU of each vCPU, no repeats */
};

/* Defaults: no kernel, 512 MiB in 4 KiB pages, 1 vCPU, cores "auto". */
void config_init(struct vm_config *cfg);
void config_free(struct vm_config *cfg);

/*
 * Read @path (strict JSON, see schemas/vm.schema.json) over what @cfg holds. Reports every error that it finds, one
 * line each, as `FILE:LINE: KEY.PATH: found: wanted`, and returns -EINVAL; -errno if the file can't be read.
 */
int config_read(struct vm_config *cfg, const char *path);

/* The same from memory; @name stands for the file in messages, relative paths are relative to @folder. */
int config_parse(struct vm_config *cfg, const char *text, size_t len, const char *name, const char *folder);

/*
 * Set one key from an option's argument, as the file would (relative paths are the working directory's). @key is its
 * path, "memory.size"; @where begins the messages: "option -m". -EINVAL, reported.
 */
int config_set(struct vm_config *cfg, const char *key, const char *text, const char *where);

/* The @i-th key that a file can hold, "memory.size"; NULL after the last. For the schema's test. */
const char *config_key(unsigned int i);

/*
 * After file and options: what only the whole can tell (a kernel is there, as many cores as vCPUs). -EINVAL with
 * messages. @where is what the messages begin with: the file, or "command line". A VM without a name is called as its
 * file is without .json if that can be a name, or else "vm"; cores without vCPUs say how many vCPUs.
 */
int config_finish(struct vm_config *cfg, const char *where);

/* "512M", "2G" (K, M, G, T: powers of 1024), in bytes. -EINVAL (not a size), -ERANGE; reports nothing. */
int size_parse(const char *text, uint64_t *bytes);

/*
 * "1,3-5" into @cores, at most @max of them, in the order given. -EINVAL, -ERANGE (more than @max, or a number of
 * VM_CORE_LIMIT or more), -EEXIST: cores[*count] is there twice. Reports nothing.
 */
int cores_parse(const char *text, unsigned int *cores, unsigned int max, unsigned int *count);

/* "500ms", "30s", "5m", "1h", in ms: at least 1, at most a week. -EINVAL; reports nothing. */
int duration_parse(const char *text, uint64_t *ms);

/* "1000/s", 1 to EXCEPT_RATE_MAX. -EINVAL; reports nothing. */
int rate_parse(const char *text, uint32_t *rate);

/* What it is called in the configuration: "eoi". */
const char *except_name(enum except_kind kind);

/* require.c: what a guarantee is called: "cores.isolated". */
const char *guarantee_name(enum guarantee_id id);

/* level.c: of an enum seal_level (vmm/core/handoff.h), what it is called; and of a name, the level, or 0. */
const char *seal_level_name(unsigned int level);
unsigned int seal_level_find(const char *name);

#endif
