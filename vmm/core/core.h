/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CORE_CORE_H
#define VMM_CORE_CORE_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "devices/device.h"
#include "vmm/core/handoff.h"

/*
 * The core manager: one VM and nothing else. Its whole life is main.c. There is no cleanup code: a core manager that
 * can't go on says so and exits, and the kernel takes everything back.
 */
struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run; /* shared with KVM */
	pthread_t thread;
};

struct vm {
	struct handoff handoff; /* our checked copy */
	int kvm_fd;
	int memory_fd;
	int console_fd;
	int fd;
	uint8_t *memory; /* the memory fd, mapped whole */
	size_t run_size; /* bytes of each struct kvm_run mapping */
	struct vcpu vcpus[VM_VCPUS_MAX];

	pthread_mutex_t device_lock;
	struct device_host host;
	struct devices devices;

	pthread_mutex_t gate_lock; /* the vCPU threads wait at the gate until the jail is closed */
	pthread_cond_t gate;
	unsigned int arrived;
	int gate_open;
	int gate_error; /* of a thread that couldn't be where it was told to be */
};

/* log.c: an event to the supervisor; lost if it isn't there any more. Text is cut to fit. */
void event_send(enum event_type type, const char *text);
void event_end(enum end_cause end, unsigned int vcpu, uint64_t value, const char *text) __attribute__((noreturn));

/* receive.c: wait for the handoff, check it, and take its fds. Negative errno; says nothing, as there is no one to. */
int handoff_receive(int socket, struct vm *vm);
int handoff_check(const struct handoff *handoff);

/*
 * jail.c: in this order. jail_enter_early needs nothing and comes first; jail_enter needs the handoff, and leaves in
 * @lacking (a list for people, "" if nothing) what this host does not give a plain user. Negative errno, reported.
 */
int jail_enter_early(void);
int jail_enter(const struct handoff *handoff, char *lacking, size_t size);

/* vm.c: make the KVM VM, its memory slots and its vCPUs as the handoff says. Negative errno, reported. */
int vm_create(struct vm *vm);

/* vcpu.c: start the vCPU threads, each on its core, and let them wait; then let them go. Negative errno, reported. */
int vcpus_start(struct vm *vm);
void vcpus_go(struct vm *vm);

/* exits.c: answer the exit that vcpu->run holds. */
void exit_answer(struct vcpu *vcpu);

/* host.c: what the boot devices may ask for. */
void host_init(struct vm *vm);

/* loop.c: the main thread from then on: console input, until the supervisor goes away. */
void console_loop(struct vm *vm) __attribute__((noreturn));

#endif
