/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_SEAL_H
#define VMM_SUPERVISOR_SEAL_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/core/handoff.h"
#include "vmm/x86/reasons.h"

/* A forbidden exit, as the kernel's tracepoint recorded it or the vCPU's own page shows it. */
struct violation {
	bool found;
	bool from_tracepoint;
	unsigned int vcpu;
	uint32_t reason; /* the processor's number; without a tracepoint: KVM_EXIT_* */
	uint64_t rip;
	uint64_t info1, info2;
};

/* Exits of one vCPU, since it was made. */
struct exits {
	uint64_t all;
	uint64_t host; /* interrupts for the host, and KVM's waits for the guest to take its own */
};

struct tripwire {
	int fd;	    /* -1: none */
	void *ring; /* the kernel's records of it */
};

struct watched_vcpu {
	pid_t tid;
	int stats_fd;
	const struct kvm_run *run; /* the core manager's page, read only; looked at when that is dead */
	struct tripwire tripwire;
	int eoi_fd; /* counts late EOIs, if they are let through; or -1 */
	struct exits at_seal;
};

/* The supervisor's half of the seal. */
struct seal {
	enum seal_level level;
	const struct vendor *vendor; /* NULL: unknown processor */
	bool except_eoi;
	int64_t asked_at; /* ns, CLOCK_MONOTONIC */
	bool asked;	  /* by the guest or for it */
	bool sealed;
	bool failed;
	int vm_stats_fd;
	unsigned int count; /* of vCPUs that were handed over */
	struct watched_vcpu vcpus[VM_VCPUS_MAX];
};

struct vm;

/* stats.c: the counter of that name; -ENOENT if there is none. stats_value reports all errors. */
int stats_find(int fd, const char *name, uint64_t *at);
int stats_value(int fd, const char *name, uint64_t *value);

/*
 * tripwire.c: a perf event on kvm:kvm_exit for one thread, not yet armed; from tripwire_arm on the kernel ends that
 * thread's process at the first exit that @filter matches ("" for any). Negative errno, reported: -EACCES says which
 * capability is missing.
 */
int tripwire_open(struct tripwire *tripwire, pid_t tid, const char *filter);
int tripwire_arm(const struct tripwire *tripwire);
void tripwire_close(struct tripwire *tripwire);

/* A counter of the exits that @filter matches, running from now on; its fd, or negative errno, reported. */
int exit_counter_open(pid_t tid, const char *filter);

/* The first record in its ring; false if there is none. */
bool tripwire_read(const struct tripwire *tripwire, struct violation *violation);

/* verify.c: can the kernel end thread @tid by SIGTRAP, and has it @filters seccomp filters? -EPERM, reported. */
int thread_verify(pid_t pid, pid_t tid, unsigned int filters);

/* Is all of the guest's memory mapped in the second-level tables? -EFAULT, reported. */
int pages_verify(int vm_stats_fd, uint64_t size);

/* seal.c */
int seal_take_vm(struct vm *vm, int stats_fd);
int seal_take_vcpu(struct vm *vm, unsigned int vcpu, pid_t tid, int stats_fd, int vcpu_fd);
void seal_ask(struct vm *vm);	 /* let the core manager begin */
void seal_quiet(struct vm *vm);	 /* it has: hand over the tripwires */
void seal_finish(struct vm *vm); /* filters are on: verify, arm, go */
void seal_late(struct vm *vm);	 /* it takes too long: end it */
void seal_release(struct vm *vm);

/* What the guest did, after the core manager's end. */
void violation_find(struct vm *vm, struct violation *violation);
bool violation_is_end_port(const struct vm *vm, const struct violation *violation, uint16_t *port);
void violation_describe(const struct vm *vm, const struct violation *violation, char *text, size_t size);

/* ledger.c: exits by vCPU since the seal, on standard error. */
int exits_read(int stats_fd, struct exits *exits);
void ledger_mark(struct vm *vm);
void ledger_print(const struct vm *vm);

/* evidence.c: the words of guest memory that were asked for, on standard error. The guest is dead. */
void evidence_print(struct vm *vm);

#endif
