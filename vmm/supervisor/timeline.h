/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_TIMELINE_H
#define VMM_SUPERVISOR_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many exits there had been, again and again from boot to end, in a bounded room: when it is full, every second
 * sample goes and the next ones come half as often.
 */
#define TIMELINE_MAX	  512
#define TIMELINE_INTERVAL 100000000 /* ns, at first */

/* Exits of one vCPU, since it was made. */
struct exits {
	uint64_t all;
	uint64_t host; /* interrupts for the host, and KVM's waits for the guest to take its own */
};

struct timeline {
	unsigned int vcpus; /* 0: none is kept */
	unsigned int count; /* of samples */
	int64_t interval;   /* ns */
	int64_t next;	    /* ns from the start: when the next sample is due */
	int64_t ns[TIMELINE_MAX];
	bool kept[TIMELINE_MAX]; /* this one never goes */
	struct exits *exits;	 /* TIMELINE_MAX times vcpus */
};

/* -ENOMEM, reported. timeline_free is safe on a zeroed one. */
int timeline_make(struct timeline *timeline, unsigned int vcpus);
void timeline_free(struct timeline *timeline);

/*
 * A new sample at @ns, not before the last: its exits, one a vCPU, for the caller to fill in. Of those that are to be
 * kept there may be TIMELINE_MAX / 2.
 */
struct exits *timeline_add(struct timeline *timeline, int64_t ns, bool keep);

/* The exits of sample @i. */
const struct exits *timeline_at(const struct timeline *timeline, unsigned int i);

/* ms from @now until a sample is due, rounded up; -1 if none is kept. */
int64_t timeline_wait(const struct timeline *timeline, int64_t now);

#endif
