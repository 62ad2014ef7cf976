// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/core/core.h"

/* One core and no other; what the kernel made of it is read back. */
static int vcpu_pin(const struct vcpu *vcpu)
{
	unsigned int core = vcpu->vm->handoff.cores[vcpu->id];
	cpu_set_t wanted, found;

	if (core >= CPU_SETSIZE)
		return fail(-ERANGE, "vCPU %u: core %u: this build knows cores up to %d", vcpu->id, core,
			    CPU_SETSIZE - 1);
	CPU_ZERO(&wanted);
	CPU_SET(core, &wanted);
	if (sched_setaffinity(0, sizeof(wanted), &wanted))
		return fail(-errno, "vCPU %u: core %u: %s", vcpu->id, core, strerror(errno));
	CPU_ZERO(&found);
	if (sched_getaffinity(0, sizeof(found), &found) || !CPU_EQUAL(&wanted, &found) || sched_getcpu() != (int)core)
		return fail(-EINVAL, "vCPU %u: core %u was asked for, and another was given", vcpu->id, core);
	return 0;
}

static void gate_wait(struct vm *vm, int err)
{
	pthread_mutex_lock(&vm->gate_lock);
	vm->arrived++;
	if (err)
		vm->gate_error = err;
	pthread_cond_broadcast(&vm->gate);
	while (!vm->gate_open)
		pthread_cond_wait(&vm->gate, &vm->gate_lock);
	pthread_mutex_unlock(&vm->gate_lock);
}

static void gate_park(struct vm *vm)
{
	pthread_mutex_lock(&vm->gate_lock);
	vm->parked++;
	pthread_cond_broadcast(&vm->gate);
	while (!vm->filter_now)
		pthread_cond_wait(&vm->gate, &vm->gate_lock);
	pthread_mutex_unlock(&vm->gate_lock);
}

/* What the guest does after it asked is to be counted, all of it. */
static void gate_hold(struct vm *vm)
{
	pthread_mutex_lock(&vm->gate_lock);
	while (!vm->counting)
		pthread_cond_wait(&vm->gate, &vm->gate_lock);
	pthread_mutex_unlock(&vm->gate_lock);
}

static void vcpu_run_failed(const struct vcpu *vcpu, int err)
{
	char text[128];

	snprintf(text, sizeof(text), "KVM_RUN: %s", strerror(err));
	event_end(END_KVM_ERROR, vcpu->id, (uint64_t)err, text);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;

	vcpu->tid = gettid();
	gate_wait(vcpu->vm, vcpu_pin(vcpu));
	while (!atomic_load(&vcpu->vm->parking)) {
		if (!ioctl(vcpu->fd, KVM_RUN, 0))
			exit_answer(vcpu);
		else if (errno != EINTR && errno != EAGAIN) /* EAGAIN: this vCPU has just had its INIT */
			vcpu_run_failed(vcpu, errno);
		if (atomic_load(&vcpu->vm->holding))
			gate_hold(vcpu->vm);
	}
	gate_park(vcpu->vm);
	vcpu_sealed(vcpu);
}

int vcpus_start(struct vm *vm)
{
	int err;

	pthread_mutex_init(&vm->gate_lock, NULL);
	pthread_cond_init(&vm->gate, NULL);
	for (unsigned int i = 0; i < vm->handoff.vcpus; i++) {
		err = pthread_create(&vm->vcpus[i].thread, NULL, vcpu_thread, &vm->vcpus[i]);
		if (err)
			return fail(-err, "vCPU %u: a thread for it: %s", i, strerror(err));
	}
	pthread_mutex_lock(&vm->gate_lock);
	while (vm->arrived < vm->handoff.vcpus)
		pthread_cond_wait(&vm->gate, &vm->gate_lock);
	err = vm->gate_error;
	pthread_mutex_unlock(&vm->gate_lock);
	for (unsigned int i = 0; !err && i < vm->handoff.vcpus; i++)
		err = vcpu_hand_over(&vm->vcpus[i]);
	return err;
}

/*
 * A signal alone can come just before KVM_RUN, and would be gone; immediate_exit, which KVM looks at when it enters,
 * closes that gap (Documentation/virt/kvm/api.rst, 5, immediate_exit).
 */
void vcpus_park(struct vm *vm)
{
	atomic_store(&vm->parking, 1);
	for (unsigned int i = 0; i < vm->handoff.vcpus; i++) {
		vm->vcpus[i].run->immediate_exit = 1;
		tgkill(getpid(), vm->vcpus[i].tid, SIGNAL_KICK);
	}
	pthread_mutex_lock(&vm->gate_lock);
	while (vm->parked < vm->handoff.vcpus)
		pthread_cond_wait(&vm->gate, &vm->gate_lock);
	pthread_mutex_unlock(&vm->gate_lock);
}

void vcpus_go(struct vm *vm)
{
	pthread_mutex_lock(&vm->gate_lock);
	vm->gate_open = 1;
	pthread_cond_broadcast(&vm->gate);
	pthread_mutex_unlock(&vm->gate_lock);
}
