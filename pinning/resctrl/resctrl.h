/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_RESCTRL_RESCTRL_H
#define PINNING_RESCTRL_RESCTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Shares of caches and of memory bandwidth, as the kernel's resctrl file system gives them
 * (Documentation/filesystems/resctrl.rst). Only group.c changes anything.
 * All but group.c's report nothing: the callers know which key and which file it is about.
 */
enum share_kind { SHARE_NONE, SHARE_WAYS, SHARE_PERCENT, SHARE_MBPS };

/* What was asked for: "4 ways", "25%", "500MB/s". */
struct share {
	enum share_kind kind;
	unsigned int amount;
};

#define SHARE_WAYS_MAX 64	/* bits of a mask: today's processors have up to 20 */
#define SHARE_MBPS_MAX 10000000 /* 10 TB/s: more than any socket has, and no sum of them wraps */

/*
 * share.c: "4 ways" (or "1 way") and "25%" of a cache; "20%" and "500MB/s" of bandwidth. -EINVAL: no share; -ERANGE:
 * 0, over 100 %, or over SHARE_WAYS_MAX and SHARE_MBPS_MAX.
 */
int share_parse_cache(const char *text, struct share *share);
int share_parse_bandwidth(const char *text, struct share *share);

#define RESCTRL_PATH_MAX 256 /* bytes */

struct resctrl_mount {
	char path[RESCTRL_PATH_MAX];
	bool mbps; /* mounted with mba_MBps: bandwidth is in MB/s */
};

/* info.c: the first mount of type resctrl in /proc/mounts' text; nothing else is one. -ENOENT: it isn't mounted. */
int resctrl_find(const char *mounts, struct resctrl_mount *mount);

/*
 * All of the file @path under the folder @root into @text, with a 0. Its length; -E2BIG: more than fits; -EINVAL: a 0
 * is in it; another negative errno of the kernel's.
 */
int resctrl_read(int root, const char *path, char *text, size_t size);

/* info/L3 or info/L2: cbm_mask, min_cbm_bits, shareable_bits, sparse_masks. */
struct cache_info {
	uint64_t cbm_mask;     /* all ways */
	uint64_t shareable;    /* that others than cores (devices, a GPU) fill too */
	unsigned int min_bits; /* in each mask */
	bool sparse;	       /* masks may have holes */
	unsigned int closids;  /* groups that there can be, the default one too */
};

/*
 * info.c: info/@name ("L3", "L3CODE") of the resctrl file system at @root. -ENOENT: this host has none; -EINVAL: not
 * what the kernel writes; or another negative errno.
 */
int cache_info_read(int root, const char *name, struct cache_info *info);

/*
 * ways.c: how many ways @share is, a part of one counted whole and never fewer than the kernel takes. -ERANGE: more
 * than there are; -EINVAL: no share of a cache.
 */
int ways_count(const struct cache_info *info, const struct share *share, unsigned int *ways);

/*
 * Would the kernel take @mask? 0, -ERANGE: ways that the cache doesn't have; -ENODATA: fewer than min_bits;
 * -EDOM: not contiguous, and this kernel says nothing of sparse_masks.
 */
int ways_check(const struct cache_info *info, uint64_t mask);

/*
 * @ways contiguous ones apart from @taken, of which as few as can be are shareable; of equals the highest, as the host
 * keeps what is left below. -ENOSPC: there are no such; -EINVAL: 0 of them.
 */
int ways_place(const struct cache_info *info, uint64_t taken, unsigned int ways, uint64_t *mask);

/* info/MB: min_bandwidth, bandwidth_gran; and whether the mount has mba_MBps. */
struct bandwidth_info {
	unsigned int min, gran; /* percent */
	unsigned int closids;
	bool mbps;
};

/* info.c: the same for info/MB; .mbps is the mount's, and stays. */
int bandwidth_info_read(int root, struct bandwidth_info *info);

/*
 * What to write for @share: percent rounded up to a step as the kernel would, or MB/s. -ENOTSUP: percent on an mba_MBps
 * mount or MB/s without it; -ERANGE: below the least; -EINVAL: no share of bandwidth.
 */
int bandwidth_value(const struct bandwidth_info *info, const struct share *share, unsigned int *value);

#define SCHEMATA_MAX	     4096 /* bytes of a schemata file */
#define SCHEMATA_NAME_MAX    16	  /* with the 0 */
#define SCHEMATA_LINES_MAX   12
#define SCHEMATA_DOMAINS_MAX 64 /* caches of a level */

struct schemata_domain {
	unsigned int id;
	uint64_t value; /* a mask of ways, or bandwidth */
};

struct schemata_line {
	char name[SCHEMATA_NAME_MAX]; /* "L3", "L3CODE", "MB" */
	unsigned int count;
	struct schemata_domain domains[SCHEMATA_DOMAINS_MAX];
};

struct schemata {
	unsigned int count;
	struct schemata_line lines[SCHEMATA_LINES_MAX];
};

/*
 * schemata.c: the file's text, "    L3:0=fff;1=fff\n    MB:0=100;1=100\n": masks (names with L) in hexadecimal,
 * all else in decimal. -EINVAL: not that, or a line or domain twice; -E2BIG: more than fits.
 */
int schemata_parse(const char *text, struct schemata *schemata);

/* One line as the kernel takes it, "L3:0=f;1=f\n". Its length, or -ENOSPC. */
int schemata_format(const struct schemata_line *line, char *text, size_t size);

/* NULL: there is no such line. */
const struct schemata_line *schemata_find(const struct schemata *schemata, const char *name);

/* Code and data have masks of their own (mounted with cdp or cdpl2). */
bool schemata_is_cdp(const struct schemata *schemata);

/* Into *@taken, all ways of cache @id that line @name or, with CDP, its two halves hold. False: there is no such. */
bool schemata_ways(const struct schemata *schemata, const char *name, unsigned int id, uint64_t *taken);

#define GROUP_PATH_MAX 128 /* bytes: a group's name is "nohype-" and a VM's */

/*
 * group.c: these change the host, and report. @root is the file system's folder, @group a name without slashes. A
 * group that is removed leaves its threads to the default one, as the kernel does; one that isn't there is no error.
 */
int group_make(int root, const char *group);
int group_remove(int root, const char *group);

/* Write one line and read it back; what the kernel says of a refusal (info/last_cmd_status) is in the message. */
int group_set(int root, const char *group, const struct schemata_line *line);

/* Take a thread in, and see that it is. */
int group_add(int root, const char *group, pid_t tid);

/* What the group holds now. Reports nothing. */
int group_schemata(int root, const char *group, struct schemata *schemata);

/*
 * monitor.c: bytes that the group's threads have moved to and from memory, on all caches' domains, since it was made.
 * -ENOENT: there is no such group, or the processor doesn't count; -ENODATA: it can't tell now. Reports nothing.
 */
int group_traffic(int root, const char *group, uint64_t *bytes);

#endif
