/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_STEPS_H
#define VMM_SUPERVISOR_STEPS_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The steps of a VM's life, by the one name that each has wherever it is told of: run -v, the report, the life that
 * nohyped reads, and `nohype explain steps`. A step is said right before it is taken; on the way back, right before it
 * is undone.
 */
enum sequence {
	SEQUENCE_START, /* to the seal */
	SEQUENCE_STOP,	/* a clean end */
	SEQUENCE_ABORT, /* any other */
	SEQUENCE_UNDO,	/* a start that could not go on */
	SEQUENCES,
};

/* In the order of a start. Its way back is the reverse. */
enum vm_step {
	STEP_OUTCOME,
	STEP_PLAN,
	STEP_CLAIMS,
	STEP_SIGNALS,
	STEP_REPORT,
	STEP_CONTROL,
	STEP_KVM,
	STEP_CACHE,
	STEP_NAMESPACES,
	STEP_FUNCTIONS,
	STEP_PAGES,
	STEP_MEMORY,
	STEP_IMAGE,
	STEP_DISKS,
	STEP_RINGS,
	STEP_DMA,
	STEP_CORE_MANAGER,
	STEP_BOOT,
	STEP_ASKED,
	STEP_QUIET,
	STEP_ARM,
	STEP_SEAL,
	STEP_VCPUS,
	STEP_ORDER,
	STEPS,
};

/* Those that a VM has said, with their times. */
struct steps_said {
	unsigned int count;
	struct {
		enum sequence sequence;
		enum vm_step step;
		int64_t ns; /* CLOCK_MONOTONIC */
	} list[2 * STEPS];
};

const char *sequence_name(enum sequence sequence);
const char *step_name(enum vm_step step);

/* What is done there; NULL: it is none of @sequence's. */
const char *step_what(enum sequence sequence, enum vm_step step);

/* The step of @sequence that comes at place @nth, from 0; -1: there are no more. */
int sequence_step(enum sequence sequence, unsigned int nth);

/* `nohype explain steps`: for people; and an object of arrays, a sequence each. A new reference. */
void steps_explain(FILE *out);
json_t *steps_json(void);

struct vm;

/*
 * It is taken now: kept for the report, printed with -v, and written into its life. Each sequence says a step once.
 * Fails no VM. steps_said_json: ns from the start; a new reference.
 */
void step_say(struct vm *vm, enum sequence sequence, enum vm_step step);
json_t *steps_said_json(const struct vm *vm);

#endif
