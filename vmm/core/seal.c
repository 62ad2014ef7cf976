// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core manager's half of the seal. After it a vCPU thread knows one system call, and no code here answers exits.
 * A step that fails ends the process: a VM is sealed or it isn't there.
 */
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "devices/ports.h"
#include "rings/rings.h"
#include "seccomp/filter.h"
#include "vmm/core/core.h"
#include "vmm/x86/kvm_newer.h"
#include "vmm/x86/x86.h"

int seal_prepare(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->handoff.vcpus; i++) {
		struct rule rules[FILTER_SEALED_RULES];
		struct rule_table table;
		int err;

		filter_sealed_vcpu(&table, rules, vm->vcpus[i].fd);
		err = filter_build(&table, &vm->vcpus[i].filter);
		if (err)
			return err;
	}
	return filter_build(&filter_sealed_main, &vm->filter);
}

static int seal_map(const struct vm *vm, uint64_t gpa, uint64_t size)
{
	struct kvm_pre_fault_memory rest = { .gpa = gpa, .size = size };

	while (rest.size) /* it stops at signals, having noted how far it came */
		if (ioctl(vm->vcpus[0].fd, KVM_PRE_FAULT_MEMORY, &rest) && errno != EINTR && errno != EAGAIN)
			return fail(-errno, "KVM_PRE_FAULT_MEMORY: %s", strerror(errno));
	return 0;
}

/*
 * Second-level mappings for all memory and the functions' registers, so that no access of the guest's needs KVM to make
 * one. Where KVM can't do that the guest's first instructions did (pages_touch), and it has no functions.
 */
static int seal_map_memory(const struct vm *vm)
{
	int err = 0;

	if (vm->handoff.touch_step)
		return 0;
	for (uint32_t i = 0; !err && i < vm->handoff.layout.count; i++)
		err = seal_map(vm, vm->handoff.layout.ranges[i].gpa, vm->handoff.layout.ranges[i].size);
	if (!err && vm->handoff.rings)
		err = seal_map(vm, RINGS_BASE, RINGS_SIZE);
	for (uint32_t i = 0; i < vm->pci.count; i++) {
		const struct pci_function *function = &vm->pci.functions[i];

		for (uint32_t w = 0; !err && w < function->nwindows; w++)
			err = seal_map(vm, function->windows[w].gpa, function->windows[w].size);
	}
	return err;
}

/* No boot device can be reached any more: what led to them is closed, and exits are no longer answered. */
static void seal_drop_devices(struct vm *vm)
{
	fd_close(&vm->console_fd);
	vm->devices.count = 0;
}

/*
 * With the last fd of the VM its interrupts' eventfds are taken from it (virt/kvm/kvm_main.c, kvm_vm_release()): where
 * it has functions that fd stays, and no filter of what is left allows an ioctl on it.
 */
static void seal_drop_vm(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->handoff.functions; i++)
		for (uint32_t n = 0; n < PCI_VECTORS_MAX; n++)
			fd_close(&vm->passed[i].eventfds[n]);
	if (!vm->handoff.functions)
		close(vm->fd);
}

/* At audit nothing is taken away: the supervisor counts from here on, and whoever waited for that goes on. */
static void seal_count(struct vm *vm)
{
	pthread_mutex_lock(&vm->gate_lock);
	vm->counting = 1;
	pthread_cond_broadcast(&vm->gate);
	pthread_mutex_unlock(&vm->gate_lock);
}

void seal_begin(struct vm *vm)
{
	if (vm->handoff.seal_level == SEAL_AUDIT) {
		seal_count(vm);
		return;
	}
	vcpus_park(vm);
	seal_drop_devices(vm);
	if (seal_map_memory(vm) || msrs_deny(vm->fd))
		_exit(CORE_EXIT_ERROR);
	seal_drop_vm(vm);
	event_send(EVENT_QUIET, "");
}

/* Each vCPU thread leaves the second gate, takes its last filter, and waits without a system call. */
static void seal_filter(struct vm *vm)
{
	pthread_mutex_lock(&vm->gate_lock);
	vm->filter_now = 1;
	pthread_cond_broadcast(&vm->gate);
	pthread_mutex_unlock(&vm->gate_lock);
	while (atomic_load(&vm->filtered) < vm->handoff.vcpus)
		poll(NULL, 0, 1);
	event_send(EVENT_FILTERED, "");
}

static void seal_go(struct vm *vm) __attribute__((noreturn));
static void seal_go(struct vm *vm)
{
	struct pollfd supervisor = { .fd = HANDOFF_SOCKET, .events = 0 };

	if (filter_put(&vm->filter))
		_exit(CORE_EXIT_ERROR);
	atomic_store(&vm->go, 1);
	while (poll(&supervisor, 1, -1) <= 0)
		;
	_exit(CORE_EXIT_SUPERVISOR);
}

void seal_request(struct vm *vm)
{
	struct request request;
	int tripwire; /* kept by being open: so it stays armed if the supervisor is killed */

	if (fd_receive(HANDOFF_SOCKET, &request, sizeof(request), &tripwire, 1, 0) != (ssize_t)sizeof(request))
		_exit(CORE_EXIT_SUPERVISOR);
	switch (request.type) {
	case REQUEST_SEAL:
		seal_begin(vm);
		break;
	case REQUEST_TRIPWIRE:
		break;
	case REQUEST_FILTER:
		seal_filter(vm);
		break;
	case REQUEST_GO:
		seal_go(vm);
	default:
		_exit(CORE_EXIT_PROTOCOL);
	}
}

/*
 * EINTR comes of a stop and continue, of a debugger, of the freezer: the guest goes on. All else is the end, and the
 * exit status says which, since nothing else can.
 */
void vcpu_sealed(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (filter_put(&vcpu->filter))
		_exit(CORE_EXIT_ERROR);
	vcpu->run->immediate_exit = 0;
	vcpu->run->kvm_valid_regs = KVM_SYNC_X86_REGS; /* for the supervisor, which reads them when we are gone */
	atomic_fetch_add(&vm->filtered, 1);
	while (!atomic_load(&vm->go))
		__builtin_ia32_pause();
	while (ioctl(vcpu->fd, KVM_RUN, 0))
		if (errno != EINTR && errno != EAGAIN)
			_exit(CORE_EXIT_RUN);
	_exit(CORE_EXIT_SEALED + (int)vcpu->run->exit_reason);
}
