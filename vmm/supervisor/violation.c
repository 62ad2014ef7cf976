// SPDX-License-Identifier: GPL-2.0-only
/* What a sealed guest did that ended it. Looked for when the core manager is dead, so nothing changes any more. */
#include <inttypes.h>
#include <jansson.h>
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
						 .info2 = record.info2,
						 .at = record.at };
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

/* KVM's names of what comes to user space of a sealed guest (include/uapi/linux/kvm.h), without "KVM_EXIT_". */
static const char *run_reason_name(uint32_t reason)
{
	static const struct {
		uint32_t reason;
		const char *name;
	} names[] = {
		{ KVM_EXIT_IO, "IO" },
		{ KVM_EXIT_HYPERCALL, "HYPERCALL" },
		{ KVM_EXIT_HLT, "HLT" },
		{ KVM_EXIT_MMIO, "MMIO" },
		{ KVM_EXIT_SHUTDOWN, "SHUTDOWN" },
		{ KVM_EXIT_FAIL_ENTRY, "FAIL_ENTRY" },
		{ KVM_EXIT_INTERNAL_ERROR, "INTERNAL_ERROR" },
		{ KVM_EXIT_X86_RDMSR, "X86_RDMSR" },
		{ KVM_EXIT_X86_WRMSR, "X86_WRMSR" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].reason == reason)
			return names[i].name;
	return "a reason that has no name here";
}

/* A member of 64 bits: jansson's numbers have a sign, and people read these in hexadecimal. */
static void set_hex(json_t *json, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_object_set_new(json, key, json_string(text));
}

/* Both vendors have the port in bits 16 to 31. */
static void set_port(const struct vm *vm, const struct violation *violation, json_t *json)
{
	const struct kvm_run *run = vm->seal.vcpus[violation->vcpu].run;
	bool traced = violation->from_tracepoint, in;

	if (traced)
		in = violation->info1 & vm->seal.vendor->io_in;
	else
		in = run->io.direction == KVM_EXIT_IO_IN;
	set_hex(json, "port", traced ? violation->info1 >> 16 & 0xffff : run->io.port);
	json_object_set_new(json, "access", json_string(in ? "in" : "out"));
}

static void set_msr(const struct vm *vm, const struct violation *violation, json_t *json)
{
	const struct kvm_run *run = vm->seal.vcpus[violation->vcpu].run;
	const struct kvm_regs *regs = &run->s.regs.regs;
	bool traced = violation->from_tracepoint;
	bool write = traced ? vm->seal.vendor->is_msr_write(violation->reason, violation->info1)
			    : violation->reason == KVM_EXIT_X86_WRMSR;

	set_hex(json, "msr", traced ? (uint32_t)regs->rcx : run->msr.index);
	json_object_set_new(json, "access", json_string(write ? "write" : "read"));
	if (write)
		set_hex(json, "value", traced ? (uint64_t)regs->rdx << 32 | (uint32_t)regs->rax : run->msr.data);
}

/* What is known beyond the reason: which port, which register, which address. */
static void set_details(const struct vm *vm, const struct violation *violation, json_t *json)
{
	const struct vendor *vendor = vm->seal.vendor;
	bool traced = violation->from_tracepoint;

	if (traced ? violation->reason == vendor->io_number : violation->reason == KVM_EXIT_IO)
		set_port(vm, violation, json);
	else if (traced ? is_msr(vm, violation)
			: violation->reason == KVM_EXIT_X86_RDMSR || violation->reason == KVM_EXIT_X86_WRMSR)
		set_msr(vm, violation, json);
	else if (traced && violation->reason == vendor->address_number)
		set_hex(json, "address", violation->info2);
	else if (!traced && violation->reason == KVM_EXIT_MMIO)
		set_hex(json, "address", vm->seal.vcpus[violation->vcpu].run->mmio.phys_addr);
}

json_t *violation_json(const struct vm *vm)
{
	const struct violation *violation = &vm->violation;
	bool traced = violation->from_tracepoint;
	char text[1024];
	json_t *json;

	if (!violation->found)
		return json_null();
	violation_describe(vm, violation, text, sizeof(text));
	json = json_pack("{s:i, s:i, s:o, s:s, s:o, s:I, s:s}", "vcpu", (int)violation->vcpu, "core",
			 (int)vm->plan.cores[violation->vcpu], "ns", time_json(vm, violation->at), "source",
			 traced ? "kvm_exit" : "kvm_run", "processor",
			 traced ? json_string(vm->seal.vendor->name) : json_null(), "reason",
			 (json_int_t)violation->reason, "reason_name",
			 traced ? reason_name(vm, violation) : run_reason_name(violation->reason));
	set_hex(json, "rip", violation->rip);
	if (traced) {
		set_hex(json, "info1", violation->info1);
		set_hex(json, "info2", violation->info2);
	}
	set_details(vm, violation, json);
	json_object_set_new(json, "text", json_string(text));
	return json;
}
