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

/*
 * Second-level mappings for all memory, so that no access of the guest's needs KVM to make one. Where KVM can't do that
 * the guest's first instructions did (pages_touch).
 */
static int seal_map_memory(const struct vm *vm)
{
	const uint32_t count = vm->handoff.layout.count;

	for (uint32_t i = 0; !vm->handoff.touch_step && i < count + vm->handoff.rings; i++) {
		const struct memory_range rings = { .gpa = RINGS_BASE, .size = RINGS_SIZE };
		const struct memory_range *range = i < count ? &vm->handoff.layout.ranges[i] : &rings;
		struct kvm_pre_fault_memory rest = { .gpa = range->gpa, .size = range->size };

		while (rest.size) /* it stops at signals, having noted how far it came */
			if (ioctl(vm->vcpus[0].fd, KVM_PRE_FAULT_MEMORY, &rest) && errno != EINTR && errno != EAGAIN)
				return fail(-errno, "KVM_PRE_FAULT_MEMORY: %s", strerror(errno));
	}
	return 0;
}

/* No boot device can be reached any more: what led to them is closed, and exits are no longer answered. */
static void seal_drop_devices(struct vm *vm)
{
	fd_close(&vm->console_fd);
	vm->devices.count = 0;
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
	close(vm->fd);
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
