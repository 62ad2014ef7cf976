/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_TRACEPOINT_H
#define VMM_SUPERVISOR_TRACEPOINT_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/x86/reasons.h"

/*
 * Perf events on the tracepoint kvm:kvm_exit, of one thread each: what ends a process (tripwire), what counts
 * (exit_counter), and what keeps the books (exit_log). None of them is ever read by read(2), which would interrupt the
 * vCPU: all that we want to know stands in memory that the kernel shares with us.
 */

/* tracepoint.c: what the tracepoint recorded of one exit. */
struct exit_record {
	uint32_t reason; /* the processor's number */
	uint64_t rip;
	uint64_t info1, info2;
	int64_t at; /* ns, CLOCK_MONOTONIC; of a tripwire's record alone */
};

/*
 * A perf event for thread @tid (0: this one), of the exits that @filter matches ("" for any). @attr holds what is
 * beyond that. Its fd, or negative errno; if @quiet, -EACCES (a capability is missing) and -ESRCH (the thread is gone)
 * are not reported.
 */
int tracepoint_open(struct perf_event_attr *attr, pid_t tid, const char *filter, bool quiet);

/* The @pages (a power of two) of ring buffer of event @fd, behind its page of control; NULL, reported. */
void *ring_map(int fd, unsigned int pages, bool writable);
void ring_unmap(void *ring, unsigned int pages);

/* How the fields of a record lie in it; from the tracepoint's own description. Negative errno, reported. */
struct record_layout {
	struct {
		size_t offset, size;
	} fields[4];
};
int record_layout_read(struct record_layout *layout);

/* The raw data of a record. False: it is too short. */
bool record_decode(const struct record_layout *layout, const uint8_t *raw, size_t len, struct exit_record *record);

/* tripwire.c */
struct tripwire {
	int fd;	    /* -1: none */
	void *ring; /* the kernel's records of it */
};

/*
 * Not yet armed; from tripwire_arm on the kernel ends that thread's process at the first exit that @filter matches.
 * Negative errno, reported: for -EACCES with the capability that is missing.
 */
int tripwire_open(struct tripwire *tripwire, pid_t tid, const char *filter);
int tripwire_arm(const struct tripwire *tripwire);
void tripwire_close(struct tripwire *tripwire);

/* The first record in its ring; false if there is none. */
bool tripwire_read(const struct tripwire *tripwire, struct exit_record *record);

/* May this user have tripwires here? Negative errno, reported. */
int tripwire_probe(void);

/* exit_counter.c: the number of exits that @filter matched, from now on. Negative errno, reported. */
struct exit_counter {
	int fd; /* -1: none, and it counts 0 */
	void *ring;
};
int exit_counter_open(struct exit_counter *counter, pid_t tid, const char *filter);
uint64_t exit_counter_read(const struct exit_counter *counter);
void exit_counter_close(struct exit_counter *counter);

/*
 * exit_log.c: all exits of a thread, by reason. exit_log_read takes what has come since; it must be called often
 * enough, or records are lost, which is counted too.
 */
#define REASONS_MAX 96 /* more than a vendor's table has */

struct reason_count {
	uint64_t count;
	uint64_t first_rip; /* since the last mark */
};

struct exit_log {
	int fd; /* -1: none */
	void *ring;
	const struct vendor *vendor;
	struct record_layout layout;
	uint64_t lost;					 /* exits that nobody saw */
	uint64_t before_mark[REASONS_MAX + 1];		 /* by place in the vendor's table; the last: any other */
	struct reason_count since_mark[REASONS_MAX + 1]; /* the same */
};

/* -EACCES, not reported: this user may not; -ESRCH, not reported: it has ended. Other negative errno are reported. */
int exit_log_open(struct exit_log *log, pid_t tid, const struct vendor *vendor);
void exit_log_read(struct exit_log *log);
void exit_log_mark(struct exit_log *log); /* from here on it is "since" */
void exit_log_close(struct exit_log *log);

#endif
