// SPDX-License-Identifier: GPL-2.0-only
/*
 * On an emulated host, for as long as it runs: with the first and after the last VM, perf event and user of KVM's
 * tracepoint the kernel patches its own code (static keys: kernel/sched/core.c, preempt_notifier_inc();
 * kernel/events/core.c, perf_sched_events; arch/x86/kvm/lapic.c, apic_sw_disabled), by a breakpoint that is there for a
 * moment. QEMU's threads may translate what is just being written, and have it for ever: the host ends by "int3", or
 * one of its CPUs runs into that again and again. With one of each that stays nothing is patched. What can't be had
 * isn't.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACEPOINT "/sys/kernel/tracing/events/kvm/kvm_exit/id"

static void event_hold(unsigned int type, unsigned long long config)
{
	struct perf_event_attr attr = { .type = type, .size = sizeof(attr), .config = config };

	syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* With a vCPU whose local APIC is as it is after a reset: off. */
static void vm_hold(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	int kvm = -1, vm;

	for (int tries = 0; kvm < 0 && tries < 3000; tries++) { /* its module is loaded meanwhile */
		kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
		if (kvm < 0)
			usleep(10000);
	}
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ioctl(vm, KVM_ENABLE_CAP, &cap);
	ioctl(vm, KVM_CREATE_VCPU, 0);
	close(kvm);
}

static void tracepoint_hold(void)
{
	FILE *file = fopen(TRACEPOINT, "re");
	unsigned int id;

	if (file && fscanf(file, "%u", &id) == 1)
		event_hold(PERF_TYPE_TRACEPOINT, id);
	if (file)
		fclose(file);
}

int main(void)
{
	vm_hold();
	event_hold(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	tracepoint_hold();
	for (;;)
		pause();
}
