// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of exits that the seal lets through by name (seal.except): what the tripwire doesn't see of them, a second
 * event without a signal counts, and a VM that has more of them than it may is ended.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define INTERVAL  100000000LL  /* ns between two looks */
#define RATE_SPAN 1000000000LL /* ns over which a rate is meant */

void filter_make(const struct seal *seal, char *filter, size_t size)
{
	size_t used = (size_t)snprintf(filter, size, "%s", seal->vendor->strict_filter);

	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++)
		if (seal->except[kind] && used < size)
			used += (size_t)snprintf(filter + used, size - used, " && !(%s)",
						 seal->vendor->except_filters[kind]);
}

int exceptions_open(struct vm *vm, struct watched_vcpu *vcpu)
{
	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++) {
		int err = 0;

		if (vm->seal.except[kind])
			err = exit_counter_open(&vcpu->excepted[kind], vcpu->tid,
						vm->seal.vendor->except_filters[kind]);
		if (err)
			return err;
	}
	return 0;
}

void exceptions_close(struct watched_vcpu *vcpu)
{
	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++)
		exit_event_close(&vcpu->excepted[kind]);
}

uint64_t exceptions_count(const struct vm *vm, enum except_kind kind)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < vm->seal.count; i++)
		count += exit_counter_read(&vm->seal.vcpus[i].excepted[kind]);
	return count;
}

static bool has_rate(const struct seal *seal, unsigned int kind)
{
	return seal->except[kind] && seal->except[kind] != EXCEPT_ANY_RATE;
}

/* More of them since the oldest look, a second ago, than a second may have? */
static bool is_over(const struct vm *vm, unsigned int kind, const struct except_look *now,
		    const struct except_look *old)
{
	uint64_t span = (uint64_t)MAX(now->at - old->at, RATE_SPAN);

	return (now->counts[kind] - old->counts[kind]) * RATE_SPAN > vm->seal.except[kind] * span;
}

static void exceptions_end(struct vm *vm, unsigned int kind, uint64_t count)
{
	snprintf(vm->seal.over, sizeof(vm->seal.over),
		 "violation: exception %s: %" PRIu64 " exits in a second, %" PRIu32 " are allowed", except_name(kind),
		 count, vm->seal.except[kind]);
	vm_stop(vm, EXIT_VIOLATION, vm->seal.over);
}

int64_t exceptions_watch(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	struct except_look now = { .at = clock_now() };
	bool any = false;

	if (!seal->sealed)
		return -1;
	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++)
		any |= has_rate(seal, kind);
	if (!any)
		return -1;
	if (now.at < seal->next_look)
		return (seal->next_look - now.at) / 1000000 + 1;
	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++)
		now.counts[kind] = exceptions_count(vm, kind);
	for (unsigned int kind = 0; kind < EXCEPT_COUNT && !vm->core_gone; kind++) {
		const struct except_look *old = &seal->looks[seal->look % EXCEPT_LOOKS];

		if (has_rate(seal, kind) && is_over(vm, kind, &now, old))
			exceptions_end(vm, kind, now.counts[kind] - old->counts[kind]);
	}
	seal->looks[seal->look++ % EXCEPT_LOOKS] = now;
	seal->next_look = now.at + INTERVAL;
	return INTERVAL / 1000000;
}
