/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CORE_CORE_H
#define VMM_CORE_CORE_H

#include <linux/filter.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "devices/device.h"
#include "devices/pci.h"
#include "vmm/core/handoff.h"

/*
 * The core manager: one VM and nothing else. Its whole life is main.c. There is no cleanup code: a core manager that
 * can't go on says so and exits, and the kernel takes everything back.
 */
#define SIGNAL_KICK SIGUSR1

struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run; /* shared with KVM */
	pthread_t thread;
	pid_t tid;
	struct sock_fprog filter; /* for after the seal; built before the jail closes */
};

/* A function of the host's. */
struct passed {
	int device_fd, group_fd; /* until the VM is built */
	int eventfds[PCI_VECTORS_MAX];
	uint8_t on[PCI_VECTORS_MAX]; /* KVM takes this vector's interrupts */
};

#define ROUTES_MAX (PCI_PASSED_MAX * PCI_VECTORS_MAX)

struct routes {
	struct kvm_irq_routing head;
	struct kvm_irq_routing_entry entries[ROUTES_MAX]; /* head's own */
};

struct vm {
	struct handoff handoff; /* our checked copy */
	int kvm_fd;
	int memory_fd;
	int console_fd;
	int rings_fd;
	int fd;
	uint8_t *memory; /* the memory fd, mapped whole */
	size_t run_size; /* bytes of each struct kvm_run mapping */
	struct vcpu vcpus[VM_VCPUS_MAX];

	pthread_mutex_t device_lock;
	struct device_host host;
	struct devices devices;
	struct pci_bus pci;
	struct passed passed[PCI_PASSED_MAX];
	struct routes routes;

	pthread_mutex_t gate_lock; /* the vCPU threads wait at the gate until the jail is closed */
	pthread_cond_t gate;
	unsigned int arrived;
	int gate_open;
	int gate_error; /* of a thread that couldn't be where it was told to be */

	struct sock_fprog filter; /* the main thread's, for after the seal */
	atomic_uint parking;	  /* vCPU threads shall come to the second gate */
	unsigned int parked;	  /* under gate_lock, as is filter_now */
	int filter_now;
	int counting;	      /* audit: the supervisor counts from here on; under gate_lock */
	atomic_uint holding;  /* audit: vCPU threads wait at their next exit until it does */
	atomic_uint filtered; /* vCPU threads that have their last filter */
	atomic_uint go;
};

/* log.c: an event to the supervisor; lost if it isn't there any more. Text is cut to fit. */
void event_send(enum event_type type, const char *text);
void event_send_fds(enum event_type type, unsigned int vcpu, uint64_t value, const int *fds, size_t count);
void event_send_ready(uint8_t value, const char *label);
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

/*
 * functions.c: those of the host's. functions_receive takes what follows the handoff: -EPROTO, says nothing.
 * functions_map maps their registers into the guest, from memory slot @slot on: negative errno, reported. host_vector
 * is for the device that has their MSI-X tables.
 */
int functions_receive(int socket, struct vm *vm);
int functions_map(struct vm *vm, uint32_t slot);
void host_vector(void *ctx, unsigned int function, unsigned int nth, const struct pci_vector *vector);

/* vm.c: make the KVM VM, its memory slots and its vCPUs as the handoff says. Negative errno, reported. */
int vm_create(struct vm *vm);
int vm_hand_over(const struct vm *vm);
int vcpu_hand_over(const struct vcpu *vcpu);

/* vcpu.c: start the vCPU threads, each on its core, and let them wait; then let them go. Negative errno, reported. */
int vcpus_start(struct vm *vm);
void vcpus_go(struct vm *vm);

/* vcpu.c: ask all vCPU threads to the second gate (they leave KVM_RUN for it), and wait until they are there. */
void vcpus_park(struct vm *vm);

/*
 * seal.c. seal_prepare builds what the seal needs while building is allowed. seal_begin goes as far as EVENT_QUIET,
 * seal_request takes what the supervisor says after it; both end the process if a step fails. vcpu_sealed is the rest
 * of a vCPU thread's life.
 */
int seal_prepare(struct vm *vm);
void seal_begin(struct vm *vm);
void seal_request(struct vm *vm);
void vcpu_sealed(struct vcpu *vcpu) __attribute__((noreturn));

/* exits.c: answer the exit that vcpu->run holds. */
void exit_answer(struct vcpu *vcpu);

/* host.c: what the boot devices may ask for. */
void host_init(struct vm *vm);

/* loop.c: the main thread from then on: console input, until the supervisor goes away. */
void console_loop(struct vm *vm) __attribute__((noreturn));

#endif
