/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_SEAL_H
#define VMM_SUPERVISOR_SEAL_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "devices/ports.h"
#include "vmm/core/handoff.h"
#include "vmm/supervisor/guarantees.h"
#include "vmm/supervisor/timeline.h"
#include "vmm/supervisor/tracepoint.h"
#include "vmm/x86/reasons.h"

/* Filters that a sealed thread has: that of boot and its last one. */
#define BOOT_FILTERS   1
#define SEALED_FILTERS 2

/* A forbidden exit, as the kernel's tracepoint recorded it or the vCPU's own page shows it. */
struct violation {
	bool found;
	bool from_tracepoint;
	unsigned int vcpu;
	uint32_t reason; /* the processor's number; without a tracepoint: KVM_EXIT_* */
	uint64_t rip;
	uint64_t info1, info2;
	int64_t at; /* ns, CLOCK_MONOTONIC; 0: not known */
};

#define EXIT_COUNTERS 3 /* of a vCPU's statistics, that its exits are made of */

struct watched_vcpu {
	pid_t tid;
	int stats_fd;
	uint64_t exits_at[EXIT_COUNTERS]; /* bytes, in the statistics */
	const struct kvm_run *run;	  /* the core manager's page, read only; looked at when that is dead */
	struct exit_event tripwire;
	struct exit_event silent; /* the same for any exit: armed when the seal has settled */
	struct exit_event excepted[EXCEPT_COUNT];
	struct exit_log *log; /* owned; NULL where this user may have none */
	bool suspected;	      /* polled: something was seen at the last look */
	struct exits at_seal;
};

/* What the exceptions came to, at one moment. */
struct except_look {
	int64_t at; /* ns, CLOCK_MONOTONIC */
	uint64_t counts[EXCEPT_COUNT];
};

#define EXCEPT_LOOKS 10 /* ten a second */
#define POLLED_MS    5	/* between two looks at the statistics */

/* The supervisor's half of the seal. */
struct seal {
	enum seal_level level;
	enum tripwire_kind tripwire;
	const struct vendor *vendor; /* NULL: unknown processor */
	uint32_t except[EXCEPT_COUNT];
	char label[SEAL_LABEL_MAX + 1]; /* what the guest calls itself, printable and without quotes; "": nothing */
	int64_t asked_at;		/* ns, CLOCK_MONOTONIC */
	int64_t sealed_at;		/* the same */
	bool asked;			/* by the guest or for it */
	bool early;			/* it was, before all vCPUs were there, and is again when they are */
	bool sealed;
	bool settled; /* `silent`: from here on it is */
	bool failed;
	int vm_stats_fd;
	unsigned int look; /* how many there were */
	int64_t next_look; /* ns, CLOCK_MONOTONIC */
	struct except_look looks[EXCEPT_LOOKS];
	char over[160];	    /* what it was ended for, if not by a tripwire of the kernel's */
	unsigned int count; /* of vCPUs that were handed over */
	struct watched_vcpu vcpus[VM_VCPUS_MAX];
	struct exit_event other;      /* the tripwire of the core manager's main thread, which has no vCPU to run */
	bool marked;		      /* at_seal of each vCPU is known */
	unsigned int armed;	      /* tripwires that the kernel was seen to count time for */
	struct guarantees guarantees; /* as they were when it was sealed */
};

struct vm;

/*
 * exceptions.c. filter_make: the tripwire's filter, for the tracepoint. exceptions_watch looks whether one is over its
 * rate, and ends the VM; for poll(2) it says in how many ms it wants to be called again, or -1.
 */
void filter_make(const struct seal *seal, char *filter, size_t size);
int exceptions_open(struct vm *vm, struct watched_vcpu *vcpu);
void exceptions_close(struct watched_vcpu *vcpu);
uint64_t exceptions_count(const struct vm *vm, enum except_kind kind);
int64_t exceptions_watch(struct vm *vm);

/* polled.c: look at the statistics, and end the VM for what isn't allowed. As exceptions_watch. */
int64_t polled_watch(struct vm *vm);

/*
 * The same when the guest is dead: the end itself is one exit of one vCPU. True if there were others, which nobody saw
 * in time; then @text says so.
 */
bool polled_is_violation(const struct vm *vm, char *text, size_t size);

/* verify.c: can the kernel end thread @tid by SIGTRAP, and has it @filters seccomp filters? -EPERM, reported. */
int thread_verify(pid_t pid, pid_t tid, unsigned int filters);

/*
 * The same of SIGTRAP alone, at any time: -EPERM if something keeps it from the thread, or another negative errno if
 * that can't be read; @why says what, and nothing is reported.
 */
#define TRAP_WHY_MAX 128 /* bytes */
int thread_trap(pid_t pid, pid_t tid, char *why, size_t size);

/* KVM's counters of the pages in its tables, and what each is worth. */
#define PAGE_KINDS 3
struct page_kind {
	const char *name;
	uint64_t size; /* bytes */
};
extern const struct page_kind page_kinds[PAGE_KINDS];

/* How many of each there are, and the bytes of all together. Negative errno, reported. */
int pages_read(int vm_stats_fd, uint64_t counts[PAGE_KINDS], uint64_t *mapped);

/* Is all of the guest's memory mapped in the second-level tables? -EFAULT, reported. */
int pages_verify(int vm_stats_fd, uint64_t size);

/* Does that level end a VM that an exit alone doesn't? */
static inline bool level_has_tripwire(enum seal_level level)
{
	return level == SEAL_STRICT || level == SEAL_SILENT;
}

/* Is that done by looking at KVM's statistics? */
static inline bool seal_is_polled(const struct seal *seal)
{
	return level_has_tripwire(seal->level) && seal->tripwire == TRIPWIRE_POLLED;
}

/* seal.c */
int seal_take_vm(struct vm *vm, int stats_fd);
int seal_take_vcpu(struct vm *vm, unsigned int vcpu, pid_t tid, int stats_fd, int vcpu_fd);
void seal_ask(struct vm *vm);		/* let the core manager begin */
void seal_quiet(struct vm *vm);		/* it has: hand over the tripwires */
void seal_finish(struct vm *vm);	/* filters are on: verify, arm, go */
void seal_late(struct vm *vm);		/* it takes too long: end it */
int64_t seal_time(const struct vm *vm); /* when it was; ns, CLOCK_MONOTONIC; 0: it isn't sealed */
int64_t seal_watch(struct vm *vm);	/* `silent` that has settled is armed; ms until then, or -1 */
void seal_release(struct vm *vm);

/* What the guest did, after the core manager's end. */
void violation_find(struct vm *vm, struct violation *violation);
bool violation_is_end_port(const struct vm *vm, const struct violation *violation, uint16_t *port);
/* How a guest keeps from that, or "". */
void violation_hint(const struct vm *vm, const struct violation *violation, char *text, size_t size);
void violation_describe(const struct vm *vm, const struct violation *violation, char *text, size_t size);

/*
 * ledger.c: exits by vCPU since the seal, on standard error. exits_find must have been called before exits_read.
 * exits_read: KVM counts an exit before it counts it as the host's: these are never more than all, and one that is just
 * being handled isn't among them. Negative errno, reported.
 * exits_since: what of @now came after the mark.
 * ledger_read takes what the logs hold: poll(2) says of them when they are half full.
 */
int exits_find(struct watched_vcpu *vcpu);
int exits_read(const struct watched_vcpu *vcpu, struct exits *exits);
struct exits exits_since(const struct watched_vcpu *vcpu, const struct exits *now);
void ledger_read(struct vm *vm);
void ledger_mark(struct vm *vm);
void ledger_print(const struct vm *vm);

/* except_json.c: how many exits of each kind were let through on @vcpu, by name; a new reference. */
json_t *exceptions_count_json(const struct seal *seal, unsigned int vcpu);

/* Those that @cfg declares, by name, true or with their rates; a new reference. */
json_t *exceptions_json(const struct vm_config *cfg);

/* evidence.c: the words of guest memory that were asked for, on standard error. The guest is dead. */
void evidence_print(struct vm *vm);

#endif
