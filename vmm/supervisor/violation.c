// SPDX-License-Identifier: GPL-2.0-only
/* What a sealed guest did that ended it. Looked for when the core manager is dead, so nothing changes any more. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"
#include "devices/ports.h"
#include "vmm/supervisor/internal.h"

/* Without a tripwire the vCPU's own page shows the exit that came back to user space. */
static bool run_page_read(const struct vm *vm, struct violation *violation)
{
	int status = vm->core_status;
	uint32_t reason;

	if (!WIFEXITED(status) || WEXITSTATUS(status) < CORE_EXIT_SEALED)
		return false;
	reason = (uint32_t)WEXITSTATUS(status) - CORE_EXIT_SEALED;
	for (unsigned int i = 0; i < vm->seal.count; i++) {
		const struct kvm_run *run = vm->seal.vcpus[i].run;

		if (run->exit_reason != reason)
			continue;
		*violation =
			(struct violation){ .found = true, .vcpu = i, .reason = reason, .rip = run->s.regs.regs.rip };
		return true;
	}
	return false;
}

void violation_find(struct vm *vm, struct violation *violation)
{
	*violation = (struct violation){ 0 };
	for (unsigned int i = 0; i < vm->seal.count; i++) {
		const struct watched_vcpu *vcpu = &vm->seal.vcpus[i];
		struct exit_record record;

		if (!tripwire_read(&vcpu->tripwire, &record) && !tripwire_read(&vcpu->silent, &record))
			continue;
		*violation = (struct violation){ .found = true,
						 .from_tracepoint = true,
						 .vcpu = i,
						 .reason = record.reason,
						 .rip = record.rip,
						 .info1 = record.info1,
						 .info2 = record.info2 };
		return;
	}
	run_page_read(vm, violation);
}

static bool is_out_byte(const struct vm *vm, const struct violation *violation, uint16_t *port)
{
	const struct kvm_run *run = vm->seal.vcpus[violation->vcpu].run;

	if (violation->from_tracepoint)
		return vm->seal.vendor && violation->reason == vm->seal.vendor->io_number &&
		       vm->seal.vendor->is_out_byte(violation->info1, port);
	*port = run->io.port;
	return violation->reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT && run->io.size == 1 &&
	       run->io.count == 1;
}

bool violation_is_end_port(const struct vm *vm, const struct violation *violation, uint16_t *port)
{
	/* ACPI writes the status register first, on the way to power off and nowhere else */
	static const uint16_t ends[] = { PORT_POWER_OFF, PORT_POWER_OFF_STATUS, PORT_REBOOT, PORT_PANIC };

	if (!violation->found || !is_out_byte(vm, violation, port))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (*port == ends[i])
			return true;
	return false;
}

static bool is_msr(const struct vm *vm, const struct violation *violation)
{
	return violation->reason == vm->seal.vendor->msr_first || violation->reason == vm->seal.vendor->msr_last;
}

static const char *reason_name(const struct vm *vm, const struct violation *violation)
{
	const struct exit_reason *reason = vm->seal.vendor ? reason_find(vm->seal.vendor, violation->reason) : NULL;

	return reason ? reason->name : "a reason that has no name here";
}

/* The record has no register, but KVM left them in the vCPU's page when the signal took it out. */
static void msr_describe(const struct vm *vm, const struct violation *violation, char *text, size_t size)
{
	const struct kvm_regs *regs = &vm->seal.vcpus[violation->vcpu].run->s.regs.regs;
	uint64_t value = (uint64_t)regs->rdx << 32 | (uint32_t)regs->rax;

	if (vm->seal.vendor->is_msr_write(violation->reason, violation->info1))
		snprintf(text, size, ", WRMSR 0x%" PRIx32 " of 0x%" PRIx64, (uint32_t)regs->rcx, value);
	else
		snprintf(text, size, ", RDMSR 0x%" PRIx32, (uint32_t)regs->rcx);
}

void violation_hint(const struct vm *vm, const struct violation *violation, char *text, size_t size)
{
	const struct exit_reason *reason;
	int kind;

	*text = '\0';
	if (!violation->from_tracepoint)
		return;
	reason = reason_find(vm->seal.vendor, violation->reason);
	kind = vm->seal.vendor->except_kind(violation->reason, violation->info1, violation->info2);
	if (kind >= 0 && vm->seal.level == SEAL_STRICT)
		snprintf(text, size,
			 "to avoid it: %s; or declare seal.except.%s, and see nohype-vm(5) for what that opens",
			 kind == EXCEPT_CPUID ? reason->avoid
			 : kind == EXCEPT_EOI
				 ? "a processor with APICv or AVIC, or a host that is never late with a tick"
				 : "one vCPU, or a processor that virtualises IPIs",
			 except_name((enum except_kind)kind));
	else if (reason && reason->avoid && strcmp(reason->avoid, "-") != 0)
		snprintf(text, size, "to avoid it: %s", reason->avoid);
}

void violation_describe(const struct vm *vm, const struct violation *violation, char *text, size_t size)
{
	uint16_t port;
	char where[64] = "";

	if (is_out_byte(vm, violation, &port))
		snprintf(where, sizeof(where), ", OUT to port 0x%x", port);
	else if (violation->from_tracepoint && is_msr(vm, violation))
		msr_describe(vm, violation, where, sizeof(where));
	if (violation->from_tracepoint)
		snprintf(text, size,
			 "violation: vCPU %u at RIP 0x%" PRIx64 ": %s (%s exit 0x%x%s, info 0x%" PRIx64 " 0x%" PRIx64
			 ")",
			 violation->vcpu, violation->rip, reason_name(vm, violation), vm->seal.vendor->name,
			 violation->reason, where, violation->info1, violation->info2);
	else
		snprintf(text, size,
			 "violation: vCPU %u at RIP 0x%" PRIx64 ": an exit came to user space (KVM_EXIT reason %u%s)",
			 violation->vcpu, violation->rip, violation->reason, where);
}
