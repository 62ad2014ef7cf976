/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_RESCTRL_RESCTRL_H
#define PINNING_RESCTRL_RESCTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Shares of caches and of memory bandwidth, as the kernel's resctrl file system gives them
 * (Documentation/filesystems/resctrl.rst). What is here only reads and computes; nothing of the host is touched.
 * All functions report nothing: the callers know which key and which file it is about.
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

/* info/L3 or info/L2: cbm_mask, min_cbm_bits, shareable_bits, sparse_masks. */
struct cache_info {
	uint64_t cbm_mask;     /* all ways */
	uint64_t shareable;    /* that others than cores (devices, a GPU) fill too */
	unsigned int min_bits; /* in each mask */
	bool sparse;	       /* masks may have holes */
};

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
	bool mbps;
};

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

#endif
