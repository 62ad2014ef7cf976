// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tripwire for those who may not have the kernel's: KVM's statistics, read every few milliseconds. What it sees it
 * sees late, without a RIP, and a host's NMI looks to it like the guest's doing, since KVM doesn't count those.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

static uint64_t forbidden(const struct vm *vm, const struct watched_vcpu *vcpu, const struct exits *now)
{
	struct exits since = exits_since(vcpu, now);

	return vm->seal.level == SEAL_SILENT ? since.all : since.all - since.host;
}

/* KVM adds to its counters one after the other, so a difference counts when it is still there at the next look. */
static void vcpu_look(struct vm *vm, unsigned int id)
{
	struct watched_vcpu *vcpu = &vm->seal.vcpus[id];
	struct exits now;
	uint64_t count;

	if (exits_read(vcpu, &now)) {
		vm_stop(vm, EXIT_ERROR, "KVM's statistics can't be read any more, so nothing would be noticed");
		return;
	}
	count = forbidden(vm, vcpu, &now);
	if (count && vcpu->suspected) {
		snprintf(vm->seal.over, sizeof(vm->seal.over),
			 "violation: vCPU %u: %" PRIu64 " forbidden exits since the seal (polled: KVM's statistics "
			 "know no RIP and no reason)",
			 id, count);
		vm_stop(vm, EXIT_VIOLATION, vm->seal.over);
	}
	vcpu->suspected = count > 0;
}

bool polled_is_violation(const struct vm *vm, char *text, size_t size)
{
	uint64_t left = 1;

	if (!seal_is_polled(&vm->seal))
		return false;
	for (unsigned int i = 0; i < vm->seal.count; i++) {
		struct exits now;
		uint64_t count = exits_read(&vm->seal.vcpus[i], &now) ? 0 : forbidden(vm, &vm->seal.vcpus[i], &now);

		if (count > left) {
			snprintf(text, size,
				 "violation: vCPU %u: %" PRIu64 " forbidden exits before its end (polled: KVM's "
				 "statistics know no RIP and no reason)",
				 i, count - left);
			return true;
		}
		left -= count;
	}
	return false;
}

int64_t polled_watch(struct vm *vm)
{
	struct seal *seal = &vm->seal;

	if (!seal->sealed || !seal_is_polled(seal))
		return -1;
	if (seal->level == SEAL_SILENT && !seal->settled)
		return -1;
	for (unsigned int i = 0; i < seal->count && !vm->core_gone; i++)
		vcpu_look(vm, i);
	return POLLED_MS;
}
