// SPDX-License-Identifier: GPL-2.0-only
/* The exits of boot. Only those that reach user space come here; after the seal none does. */
#include <stdio.h>
#include <string.h>

#include "vmm/core/core.h"

/*
 * Port I/O. KVM gives `count` items of `size` bytes (string instructions) at data_offset in the run mapping: both
 * are KVM's numbers, not the guest's, and lie within it (Documentation/virt/kvm/api.rst, KVM_EXIT_IO).
 */
static void exit_pio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			devices_write(&vcpu->vm->devices, SPACE_PIO, run->io.port, data, run->io.size);
		else
			devices_read(&vcpu->vm->devices, SPACE_PIO, run->io.port, data, run->io.size);
	}
}

static void exit_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (run->mmio.len > sizeof(run->mmio.data))
		return;
	if (run->mmio.is_write)
		devices_write(&vcpu->vm->devices, SPACE_MMIO, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	else
		devices_read(&vcpu->vm->devices, SPACE_MMIO, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
}

static void exit_fatal(const struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	char text[128];
	uint64_t detail = 0;

	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		detail = run->fail_entry.hardware_entry_failure_reason;
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		detail = run->internal.suberror;
	snprintf(text, sizeof(text), "KVM_RUN returned exit reason %u (0x%llx)", run->exit_reason,
		 (unsigned long long)detail);
	event_end(END_KVM_ERROR, vcpu->id, run->exit_reason, text);
}

void exit_answer(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->device_lock);
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
		exit_pio(vcpu);
		break;
	case KVM_EXIT_MMIO:
		exit_mmio(vcpu);
		break;
	case KVM_EXIT_INTR:
		break;
	case KVM_EXIT_SHUTDOWN:
		event_end(END_TRIPLE_FAULT, vcpu->id, 0, "");
	default:
		exit_fatal(vcpu);
	}
	pthread_mutex_unlock(&vm->device_lock);
}
