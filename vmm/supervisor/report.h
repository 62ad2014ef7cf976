/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_REPORT_H
#define VMM_SUPERVISOR_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/replace.h"
#include "vmm/config/config.h"
#include "vmm/supervisor/counters.h"
#include "vmm/supervisor/timeline.h"

/*
 * The report: what became of a VM, as schemas/report.schema.json describes it. Made if a file for it is named.
 */
#define REPORT_VERSION 1

struct report {
	struct replacement file; /* .folder -1: none is wanted */
	struct timeline timeline;
	struct counter_table counters;
	uint64_t *at_seal; /* values of the counters, COUNTERS_MAX a vCPU; NULL: not asked yet */
	json_t *json;	   /* what is known when the VM has ended */
	bool failed;	   /* it could not be written */
};

struct vm;
struct outcome;

/* report_file.c: could it be written? Found out by a file that goes again. Negative errno, reported. */
int report_check(const struct vm_config *cfg);

/* The same before a start, when there is nothing to lose yet; its folder stays open. */
int report_take(struct vm *vm);

/* Write what report_collect has made, as a whole or not at all, readable for its owner alone; and let go of it. */
void report_give_back(struct vm *vm);

/* report.c: a sample of the timeline, if one is due; and how many ms until the next, or -1. */
int64_t report_watch(struct vm *vm);

/* The seal is here: from now on the exits count as since then. */
void report_mark(struct vm *vm);

/* The VM has ended for @outcome, and all that can be asked is still there. */
void report_collect(struct vm *vm, const struct outcome *outcome);

/* What was found when all was given back. */
void report_finish(struct vm *vm);

/* A moment (ns, CLOCK_MONOTONIC) in ns from the start; null for 0, what never was. */
json_t *time_json(const struct vm *vm, int64_t at);

/* report_devices.c: the disks, when they are saved; the functions, while they are the VM's. New references. */
json_t *disks_json(const struct vm *vm);
json_t *functions_json(const struct vm *vm);

/* violation.c: the record, or null; a new reference. */
json_t *violation_json(const struct vm *vm);

#endif
