/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_HOST_WATCH_H
#define VMM_SUPERVISOR_HOST_WATCH_H

#include <jansson.h>
#include <stdint.h>

#include "vmm/supervisor/guarantees.h"

#define CHANGES_KEPT 64 /* of those that a report tells; and of each, of those that are told one by one */

/* What changes: a guarantee, by its enum guarantee_id, or the host itself. */
enum { CHANGE_SUSPENDED = GUARANTEE_COUNT, CHANGE_CLOCK, CHANGE_COUNT };

struct host_change {
	unsigned int count;  /* of all of it */
	unsigned int untold; /* since it was last told, */
	int64_t told;	     /* ns, CLOCK_MONOTONIC, at this time */
	const char *state;   /* to which it has changed last */
	char evidence[GUARANTEE_TEXT];
};

/* What has changed on the host under a VM that is sealed (or audited). */
struct host_watch {
	int64_t next;	/* ns, CLOCK_MONOTONIC: the next look; 0: there was none yet */
	int64_t asleep; /* ns that the host has been suspended since it was booted */
	int64_t wall;	/* ns, its clock's time less the time since it was booted */
	uint32_t lost;	/* guarantees of the seal that are not held now: bit 1 << enum guarantee_id */
	unsigned int unread[GUARANTEE_COUNT]; /* looks in a row at which it couldn't be read */
	struct host_change changes[CHANGE_COUNT];
	unsigned int count; /* of those that were told */
	json_t *kept;	    /* the first of them; NULL: there are none */
	char reason[512];   /* for which it is ended */
};

struct vm;

/*
 * host_watch.c. host_watch: once in "watch.every" the guarantees are read again, and the host's clocks; what is not as
 * it was at the last look is a message, a record for the system manager and a part of the report, and can end the VM.
 * ms until the next look, or -1 before the seal. host_changes_json: for the report; a new reference.
 * host_watch_release: when that is made.
 */
int64_t host_watch(struct vm *vm);
json_t *host_changes_json(const struct vm *vm);
void host_watch_release(struct vm *vm);

#endif
