// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/steps.h"

#include <stdbool.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

static const char *const sequences[] = {
	[SEQUENCE_START] = "start",
	[SEQUENCE_STOP] = "stop",
	[SEQUENCE_ABORT] = "abort",
	[SEQUENCE_UNDO] = "undo",
};

static const struct {
	const char *name;
	const char *up, *down; /* NULL: it is none of that way's */
} steps[] = {
	[STEP_OUTCOME] = { "outcome", NULL, "how it ended is written where nohyped reads it" },
	[STEP_PLAN] = { "plan", "cores, pages, functions and shares of caches are chosen: nothing is touched yet",
			NULL },
	[STEP_CLAIMS] = { "claims", "what was chosen is this VM's: no other start gets it", "others may have it" },
	[STEP_SIGNALS] = { "signals", "from here on a signal ends the VM in order", "the last signals were taken" },
	[STEP_REPORT] = { "report", "that it can be written is found out", "the report is written" },
	[STEP_CONTROL] = { "control socket", "the name is this VM's, and orders can come", "the name is free" },
	[STEP_KVM] = { "kvm", "KVM is opened for the core manager, which opens nothing", "KVM is closed" },
	[STEP_CACHE] = { "cache", "its share of caches and bandwidth is taken", "the share is the host's" },
	[STEP_NAMESPACES] = { "namespaces", "NVMe namespaces are cleared and filled, while the host has them",
			      "NVMe namespaces are saved, if that is asked, and cleared" },
	[STEP_FUNCTIONS] = { "functions", "PCI functions are made, configured and bound to VFIO",
			     "PCI functions are the host's" },
	[STEP_PAGES] = { "huge pages", "pages are added to the host's pools, where that is asked",
			 "pages that were added are taken out" },
	[STEP_MEMORY] = { "memory", "all of the guest's memory is taken, zeroed",
			  "memory that was filled is cleared; then it is the host's" },
	[STEP_IMAGE] = { "image", "kernel, initrd and tables come into the memory, which is unmapped then", NULL },
	[STEP_DISKS] = { "disks", "disks' images come into the memory", "disks are saved, where that is asked" },
	[STEP_RINGS] = { "rings", "the process of console, log and heartbeat is made, if there are rings",
			 "the ring process is ended, and its memory cleared" },
	[STEP_DMA] = { "DMA", "functions are let at the memory", "functions are silenced, and reach nothing" },
	[STEP_CORE_MANAGER] = { "core manager", "the temporary hypervisor is made, and gets memory and functions",
				"what led to the core manager is closed" },
	[STEP_BOOT] = { "boot", "the vCPUs run the guest, and exits are answered", NULL },
	[STEP_ASKED] = { "asked", "the guest, or someone for it, asks for the seal", NULL },
	[STEP_QUIET] = { "quiet", "the vCPUs stand, boot devices are gone: the tripwires are made, and handed over",
			 NULL },
	[STEP_ARM] = { "arm", "the vCPUs have their last filters: that is read back, and the tripwires are armed",
		       NULL },
	[STEP_SEAL] = { "seal", "the vCPUs go on: from here on the first forbidden exit ends the guest", NULL },
	[STEP_VCPUS] = { "vCPUs", NULL, "the vCPUs are stopped, and what ended them is known" },
	[STEP_ORDER] = { "order", NULL,
			 "it is to end, by word, signal or a time: asked through its rings, or stopped" },
};

_Static_assert(ARRAY_SIZE(steps) == STEPS, "each step has a line");

const char *sequence_name(enum sequence sequence)
{
	return sequences[sequence];
}

const char *step_name(enum vm_step step)
{
	return steps[step].name;
}

const char *step_what(enum sequence sequence, enum vm_step step)
{
	if (sequence == SEQUENCE_START)
		return steps[step].up;
	/* what never ran isn't stopped */
	if (sequence == SEQUENCE_UNDO && step > STEP_DMA)
		return NULL;
	return steps[step].down;
}

int sequence_step(enum sequence sequence, unsigned int nth)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		enum vm_step step = sequence == SEQUENCE_START ? i : STEPS - 1 - i;

		if (step_what(sequence, step) && nth-- == 0)
			return (int)step;
	}
	return -1;
}

static void sequence_explain(enum sequence sequence, FILE *out)
{
	int step;

	for (unsigned int i = 0; (step = sequence_step(sequence, i)) >= 0; i++)
		fprintf(out, "  %-15s %s\n", steps[step].name, step_what(sequence, step));
}

void steps_explain(FILE *out)
{
	fputs("Each step is said before it is taken: by run -v, in the report, and to nohyped.\n\n"
	      "start: from what is asked to a sealed guest\n",
	      out);
	sequence_explain(SEQUENCE_START, out);
	fputs("\nstop: a clean end; abort: any other, which saves only what says so. Both give back in reverse\n", out);
	sequence_explain(SEQUENCE_STOP, out);
	fputs("\nundo: a start that could not go on gives back what it had, and ends as those do\n", out);
}

json_t *steps_json(void)
{
	json_t *json = json_object();

	for (unsigned int i = 0; i < SEQUENCES; i++) {
		json_t *list = json_array();
		int step;

		for (unsigned int k = 0; (step = sequence_step(i, k)) >= 0; k++)
			json_array_append_new(
				list, json_pack("{s:s, s:s}", "step", steps[step].name, "what", step_what(i, step)));
		json_object_set_new(json, sequences[i], list);
	}
	return json;
}

static bool was_said(const struct steps_said *said, enum sequence sequence, enum vm_step step)
{
	for (unsigned int i = 0; i < said->count; i++)
		if (said->list[i].sequence == sequence && said->list[i].step == step)
			return true;
	return false;
}

void step_say(struct vm *vm, enum sequence sequence, enum vm_step step)
{
	struct steps_said *said = &vm->steps;
	int64_t now = clock_now();

	if (was_said(said, sequence, step) || said->count == ARRAY_SIZE(said->list))
		return;
	said->list[said->count].sequence = sequence;
	said->list[said->count].step = step;
	said->list[said->count++].ns = now;
	if (vm->opt->verbose && sequence != SEQUENCE_UNDO) /* there the error is the last line */
		note("%s: %s", sequences[sequence], steps[step].name);
	life_step(vm, sequences[sequence], steps[step].name, now - vm->started);
}

json_t *steps_said_json(const struct vm *vm)
{
	const struct steps_said *said = &vm->steps;
	json_t *json = json_array();

	for (unsigned int i = 0; i < said->count; i++)
		json_array_append_new(json, json_pack("{s:s, s:s, s:I}", "sequence", sequences[said->list[i].sequence],
						      "step", steps[said->list[i].step].name, "ns",
						      (json_int_t)(said->list[i].ns - vm->started)));
	return json;
}
