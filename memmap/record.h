/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMMAP_RECORD_H
#define MEMMAP_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A new record, locked, with @key for messages: a line @head, one of this boot, and those of @format. Negative errno,
 * reported.
 */
int record_make(const char *path, const char *key, const char *head, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * record.c, for pool.c: what one VM has added to the pools, a line before each addition and one after it. What isn't a
 * whole line was not written to its end, so what it would tell was not begun.
 */
#define RECORD	    "pages." /* and the process's number, and the page size in KiB, in the folder of all */
#define RECORD_HEAD "nohype pages 1"

/* For named.c and left.c: which file a VM's memory is; "inode" and its number follow when it was made. */
#define FILE_RECORD	 "memory." /* and the file's name */
#define FILE_RECORD_HEAD "nohype memory 1"

/* The pool of @node (-1: the host's one) has @before pages, and is to have @wanted more; it has got @added. -errno. */
int record_intend(int fd, int node, uint64_t before, uint64_t wanted);
int record_done(int fd, int node, uint64_t added);

/*
 * Pages of which nobody holds the record any more: out of the pools again; how many is added to *@pages. The pools'
 * lock must be held. Negative errno, reported.
 */
int records_recover(const char *state, uint64_t *pages);

/* Is there any? Then nothing has to be locked to see it. */
bool records_any(const char *state);

/* pool.c: @count pages out of a pool, or as many as it has; reports what can't be. */
void pool_take_out(int node, uint64_t page_size, uint64_t count);
int64_t pool_read(int node, uint64_t page_size);

#endif
