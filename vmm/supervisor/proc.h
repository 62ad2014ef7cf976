/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_PROC_H
#define VMM_SUPERVISOR_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* What the kernel says of the core manager, in /proc. Reading it disturbs no vCPU. */

#define STATUS_MAX 4096 /* bytes of a status file */

/* /proc/PID/task/TID/status into @text (STATUS_MAX bytes). Negative errno, reported to nobody. */
int status_read(pid_t pid, pid_t tid, char *text);

/* The value of a line "NAME:\tVALUE" of a status file, without its newline; false if there is none. */
bool status_line(const char *text, const char *name, char *value, size_t size);

/* The same as a number. */
bool status_number(const char *text, const char *name, int base, uint64_t *number);

/* A thread's ids, smallest first, at most @max of them; how many there are, or negative errno. Reports nothing. */
int threads_read(pid_t pid, pid_t *tids, unsigned int max);

/*
 * Has this thread, or any of the process, the file with these numbers open? 1, 0, or negative errno: it can't be told.
 * Reports nothing.
 */
int thread_opens(pid_t pid, pid_t tid, dev_t device, ino_t inode);
int process_opens(pid_t pid, dev_t device, ino_t inode);

/*
 * Is it a worker of the kernel's own that is listed as this process's, as kvm-nx-lpage-recovery is? It runs no program,
 * so it makes no system calls.
 */
bool thread_is_worker(pid_t pid, pid_t tid);

/* Is @cpu in a list as "0-3,7"? */
bool cpu_list_has(const char *list, unsigned int cpu);

/*
 * A line of maps or smaps, "7f0000000000-7f0010000000 rw-s 00000000 00:0f 1234   /memfd:NAME": is it of the file with
 * these numbers? False, and *@ours as it was, for other lines.
 */
bool mapping_is_header(const char *line, dev_t device, ino_t inode, bool *ours);

/* What a process maps of one file, from its smaps. Sizes in bytes. */
struct mapped_file {
	uint64_t size;
	uint64_t resident;
	uint64_t page_size; /* the smallest of all */
};

/* Add up the mappings of the file with these numbers. Negative errno if @smaps isn't what it should be. */
int smaps_sum(FILE *smaps, dev_t device, ino_t inode, struct mapped_file *mapped);

#endif
