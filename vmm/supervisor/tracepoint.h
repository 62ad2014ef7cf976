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
 * (exit_counter), and what keeps the books (exit_log). While the vCPUs run none of them is read by read(2), which would
 * interrupt them: all that we want to know stands in memory that the kernel shares with us.
 */

/* tracepoint.c: what the tracepoint recorded of one exit. */
struct exit_record {
	uint32_t reason; /* the processor's number */
	uint64_t rip;
	uint64_t info1, info2;
	int64_t at; /* ns, CLOCK_MONOTONIC; of a tripwire's record alone */
};

/* An event, and the ring of records that the kernel writes of it. */
struct exit_event {
	int fd; /* -1: none */
	unsigned int pages;
	struct perf_event_mmap_page *ring; /* and the records behind it; NULL: none */
};

struct exit_event_kind {
	struct perf_event_attr attr; /* beyond the tracepoint */
	unsigned int pages;	     /* of records, a power of two */
	bool overwrite;		     /* when it is full the oldest go; nobody reads them */
	bool quiet; /* -EACCES (a capability is missing) and -ESRCH (no such thread) are not reported */
};

/* For thread @tid (0: this one), of the exits that @filter matches ("" for any). Negative errno, reported. */
int exit_event_open(struct exit_event *event, const struct exit_event_kind *kind, pid_t tid, const char *filter);

/* Safe on { .fd = -1 }. */
void exit_event_close(struct exit_event *event);

/* How the fields of a record lie in it; from the tracepoint's own description. Negative errno, reported. */
struct record_layout {
	struct {
		size_t offset, size;
	} fields[4];
};
int record_layout_read(struct record_layout *layout);

/* A record of @size bytes, of an event whose samples have PERF_SAMPLE_RAW, and PERF_SAMPLE_TIME or not. False: no
 * sample. */
bool record_decode(const struct record_layout *layout, uint64_t sample_type, const uint8_t *bytes, size_t size,
		   struct exit_record *record);

/*
 * tripwire.c. Not yet armed; from tripwire_arm on the kernel ends that thread's process at the first exit that @filter
 * matches. Negative errno, reported: for -EACCES with the capability that is missing.
 */
int tripwire_open(struct exit_event *tripwire, pid_t tid, const char *filter);
int tripwire_arm(const struct exit_event *tripwire);

/* The first record in its ring; false if there is none. */
bool tripwire_read(const struct exit_event *tripwire, struct exit_record *record);

/* May this user have tripwires here? Negative errno, reported. */
int tripwire_probe(void);

/* exit_counter.c: the number of exits that @filter matched, from now on; 0 where there is no event. Negative errno,
 * reported. */
int exit_counter_open(struct exit_event *counter, pid_t tid, const char *filter);
uint64_t exit_counter_read(const struct exit_event *counter);

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
	struct exit_event event;
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

#endif
