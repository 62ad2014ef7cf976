// SPDX-License-Identifier: GPL-2.0-only
/*
 * The supervisor's half of the seal. What the core manager says is a wish or a report; what makes a VM sealed is what
 * the kernel says of it (verify.c) and the tripwires, which are ours.
 */
#include "vmm/supervisor/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define FILTER_MAX 1024 /* bytes */

int seal_take_vm(struct vm *vm, int stats_fd)
{
	if (vm->seal.vm_stats_fd >= 0)
		return -EPROTO;
	vm->seal.vm_stats_fd = stats_fd;
	return 0;
}

/* Where this user may have none, KVM's own statistics must do. A guest can have ended before we come to it. */
static int log_take(struct seal *seal, struct watched_vcpu *vcpu)
{
	int err;

	if (!seal->vendor)
		return 0;
	vcpu->log = calloc(1, sizeof(*vcpu->log));
	if (!vcpu->log)
		return fail(-ENOMEM, "no memory for a log of exits");
	err = exit_log_open(vcpu->log, vcpu->tid, seal->vendor);
	if (!err)
		return 0;
	free(vcpu->log);
	vcpu->log = NULL;
	return err == -EACCES || err == -ESRCH ? 0 : err;
}

static bool vcpus_are_there(const struct vm *vm)
{
	return vm->seal.count == vm->plan.vcpus;
}

int seal_take_vcpu(struct vm *vm, unsigned int vcpu, pid_t tid, int stats_fd, int vcpu_fd)
{
	struct seal *seal = &vm->seal;
	struct watched_vcpu *watched = &seal->vcpus[seal->count];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *run;
	int err;

	/* in order and once each: whatever else the core manager says of its vCPUs is not believed */
	if (vcpu != seal->count || vcpu >= vm->plan.vcpus)
		return -EPROTO;
	err = vcpu_cache(vm, tid);
	if (err)
		return err;
	run = mmap(NULL, page, PROT_READ, MAP_SHARED, vcpu_fd, 0);
	if (run == MAP_FAILED)
		return -EPROTO;
	*watched = (struct watched_vcpu){ .tid = tid, .stats_fd = stats_fd, .run = run };
	watched->tripwire.fd = watched->silent.fd = -1;
	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++)
		watched->excepted[kind].fd = -1;
	err = exits_find(watched) ? -EPROTO : log_take(seal, watched);
	if (err) { /* what isn't taken isn't released either: the fd stays the caller's */
		munmap(run, page);
		return err;
	}
	seal->count++;
	if (!vcpus_are_there(vm))
		return 0;
	core_leave(vm);
	if (seal->early)
		seal_ask(vm);
	return 0;
}

static int request_send(const struct vm *vm, enum request_type type, int fd)
{
	struct request request = { .type = type };
	int err = fd_send(vm->event_fd, &request, sizeof(request), &fd, fd >= 0, MSG_DONTWAIT);

	return err ? fail(err, "seal: the core manager doesn't listen: %s", strerror(-err)) : 0;
}

static bool has_kernel_tripwire(const struct seal *seal)
{
	return level_has_tripwire(seal->level) && !seal_is_polled(seal);
}

/* A VM whose seal fails at any step is ended: it was promised sealed or not at all. */
static void seal_fail(struct vm *vm)
{
	vm->seal.failed = true;
	core_kill(vm);
}

/* What is counted from now on counts as since the seal. */
static void seal_mark(struct vm *vm)
{
	ledger_mark(vm);
	report_mark(vm);
	vm->seal.marked = true;
	vm->seal.sealed_at = clock_now();
}

void seal_ask(struct vm *vm)
{
	/* one that an order has ended isn't sealed any more, and that is not what ended it */
	if (vm->seal.asked || vm->core_gone)
		return;
	if (!vcpus_are_there(vm)) {
		vm->seal.early = true;
		return;
	}
	step_say(vm, SEQUENCE_START, STEP_ASKED);
	vm->seal.asked = true;
	vm->seal.asked_at = clock_now();
	if (vm->seal.level == SEAL_AUDIT) {
		/* the vCPU that has asked waits for the request */
		seal_mark(vm);
		guarantees_read(vm, &vm->seal.guarantees);
		if (guarantees_require(vm, &vm->seal.guarantees)) {
			seal_fail(vm);
			return;
		}
		note("audit%s%s: exits are counted from here on, and nothing is taken away",
		     *vm->seal.label ? "; " : "", vm->seal.label);
		guarantees_print(&vm->seal.guarantees);
		rings_sealed(vm);
	}
	if (request_send(vm, REQUEST_SEAL, -1))
		seal_fail(vm);
}

/* A copy in the core manager keeps an event armed when the supervisor is killed. */
static int tripwire_hand_over(struct vm *vm, struct exit_event *tripwire, pid_t tid, const char *filter)
{
	int err = tripwire_open(tripwire, tid, filter);

	return err ? err : request_send(vm, REQUEST_TRIPWIRE, tripwire->fd);
}

/* All of them, those too that are armed later: after the last filters nothing can be handed over. */
static int tripwires_open(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	char filter[FILTER_MAX];

	filter_make(seal, filter, sizeof(filter));
	for (unsigned int i = 0; i < seal->count; i++) {
		struct watched_vcpu *vcpu = &seal->vcpus[i];
		int err = exceptions_open(vm, vcpu);

		if (!err)
			err = tripwire_hand_over(vm, &vcpu->tripwire, vcpu->tid, filter);
		if (!err && seal->level == SEAL_SILENT)
			err = tripwire_hand_over(vm, &vcpu->silent, vcpu->tid, "");
		if (err)
			return err;
	}
	/*
	 * KVM lets any thread of the process run a vCPU, and the main one has boot's filter until it says that it goes
	 * on. Who has won the core manager before the seal would run the guest there, past all of the others.
	 */
	return tripwire_hand_over(vm, &seal->other, vm->core_pid, "");
}

void seal_quiet(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	int err = 0;

	step_say(vm, SEQUENCE_START, STEP_QUIET);
	if (level_has_tripwire(seal->level) && vm->plan.page_size == KIB(4))
		warn("memory.page_size: 4K: not pinned: if the host moves or swaps out a page, that exit ends the "
		     "guest; 2M and 1G pages stay");
	if (seal->count != vm->plan.vcpus)
		err = fail(-EPROTO, "seal: the core manager has shown %u vCPUs of %u", seal->count, vm->plan.vcpus);
	if (!err && level_has_tripwire(seal->level))
		err = pages_verify(seal->vm_stats_fd, vm_mapped_size(vm));
	if (!err && has_kernel_tripwire(seal))
		err = tripwires_open(vm);
	if (!err)
		err = request_send(vm, REQUEST_FILTER, -1);
	if (err)
		seal_fail(vm);
}

/* The vCPUs stand still with their last filter on: what is true now stays true. */
static int seal_verify_and_arm(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	int err;

	for (unsigned int i = 0; i < seal->count; i++) {
		err = thread_verify(vm->core_pid, seal->vcpus[i].tid, SEALED_FILTERS);

		if (!err && has_kernel_tripwire(seal))
			err = tripwire_arm(&seal->vcpus[i].tripwire);
		if (err)
			return err;
	}
	if (!has_kernel_tripwire(seal))
		return 0;
	err = thread_verify(vm->core_pid, vm->core_pid, BOOT_FILTERS);
	if (!err)
		err = tripwire_arm(&seal->other);
	if (err)
		return err;
	seal->armed = tripwires_armed(vm);
	return seal->armed == seal->count
		       ? 0
		       : fail(-EIO, "tripwire: the kernel says that %u of %u are armed", seal->armed, seal->count);
}

void seal_finish(struct vm *vm)
{
	step_say(vm, SEQUENCE_START, STEP_ARM);
	if (seal_verify_and_arm(vm)) {
		seal_fail(vm);
		return;
	}
	guarantees_read(vm, &vm->seal.guarantees);
	seal_mark(vm);
	step_say(vm, SEQUENCE_START, STEP_SEAL);
	if (guarantees_require(vm, &vm->seal.guarantees) || request_send(vm, REQUEST_GO, -1)) {
		seal_fail(vm);
		return;
	}
	vm->seal.sealed = true;
	life_say(vm, "sealed");
	rings_sealed(vm);
	note("%s: sealed (%s%s%s%s): the boot devices are gone, and the first forbidden exit ends the guest",
	     vm->cfg->name, seal_level_name(vm->seal.level), seal_is_polled(&vm->seal) ? ", polled" : "",
	     *vm->seal.label ? "; " : "", vm->seal.label);
	guarantees_settle(vm, &vm->seal.guarantees);
	guarantees_print(&vm->seal.guarantees);
	if (guarantees_require(vm, &vm->seal.guarantees))
		vm_stop(vm, EXIT_HOST, "what it requires is not held, as said above, and it was ended");
}

/* Interrupts that were on their way at the seal have come by then: from here on none is let pass. */
static void seal_settle(struct vm *vm)
{
	struct seal *seal = &vm->seal;

	for (unsigned int i = 0; i < seal->count && has_kernel_tripwire(seal); i++) {
		if (tripwire_arm(&seal->vcpus[i].silent)) {
			vm_stop(vm, EXIT_ERROR, "it could not be made silent, as said above, and was ended");
			return;
		}
	}
	seal->settled = true;
	ledger_mark(vm); /* arming interrupts the core, just before it counts */
	report_mark(vm);
	note("%s: settled: any exit ends the guest now", vm->cfg->name);
}

/* at audit the exits are marked, and it isn't sealed */
int64_t seal_time(const struct vm *vm)
{
	return vm->seal.sealed ? vm->seal.sealed_at : 0;
}

int64_t seal_watch(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	int64_t left;

	if (!seal->sealed || seal->level != SEAL_SILENT || seal->settled)
		return -1;
	left = (int64_t)vm->cfg->seal_settle - (clock_now() - seal->sealed_at) / 1000000;
	if (left > 0)
		return left;
	seal_settle(vm);
	return -1;
}

void seal_late(struct vm *vm)
{
	fail(-ETIMEDOUT, "seal: the core manager has not come to an end with it: does a debugger hold it?");
	seal_fail(vm);
}

void seal_release(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (unsigned int i = 0; i < seal->count; i++) {
		exit_event_close(&seal->vcpus[i].tripwire);
		fd_close(&seal->vcpus[i].stats_fd);
		exit_event_close(&seal->vcpus[i].silent);
		exceptions_close(&seal->vcpus[i]);
		if (seal->vcpus[i].log)
			exit_event_close(&seal->vcpus[i].log->event);
		free(seal->vcpus[i].log);
		munmap((void *)seal->vcpus[i].run, page);
	}
	exit_event_close(&seal->other);
	fd_close(&seal->vm_stats_fd);
	seal->count = 0;
}
