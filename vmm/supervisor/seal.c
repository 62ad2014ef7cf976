// SPDX-License-Identifier: GPL-2.0-only
/*
 * The supervisor's half of the seal. What the core manager says is a wish or a report; what makes a VM sealed is what
 * the kernel says of it (verify.c) and the tripwires, which are ours.
 */
#include "vmm/supervisor/seal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

/* Filters that a sealed thread has: that of boot and its last one. */
#define SEALED_FILTERS 2

static bool level_has_tripwire(enum seal_level level)
{
	return level == SEAL_STRICT || level == SEAL_SILENT;
}

#define FILTER_MAX 512 /* bytes */

static void filter_make(const struct seal *seal, char *filter)
{
	if (seal->level == SEAL_SILENT)
		*filter = '\0';
	else if (seal->except_eoi)
		snprintf(filter, FILTER_MAX, "%s && !(%s)", seal->vendor->strict_filter, seal->vendor->eoi_filter);
	else
		snprintf(filter, FILTER_MAX, "%s", seal->vendor->strict_filter);
}

int seal_take_vm(struct vm *vm, int stats_fd)
{
	if (vm->seal.vm_stats_fd >= 0)
		return -EPROTO;
	vm->seal.vm_stats_fd = stats_fd;
	return 0;
}

int seal_take_vcpu(struct vm *vm, unsigned int vcpu, pid_t tid, int stats_fd, int vcpu_fd)
{
	struct seal *seal = &vm->seal;
	struct watched_vcpu *watched = &seal->vcpus[seal->count];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *run;

	/* in order and once each: whatever else the core manager says of its vCPUs is not believed */
	if (vcpu != seal->count || vcpu >= vm->plan.vcpus)
		return -EPROTO;
	run = mmap(NULL, page, PROT_READ, MAP_SHARED, vcpu_fd, 0);
	if (run == MAP_FAILED)
		return -EPROTO;
	*watched =
		(struct watched_vcpu){ .tid = tid, .stats_fd = stats_fd, .run = run, .tripwire.fd = -1, .eoi_fd = -1 };
	seal->count++;
	return 0;
}

static int request_send(const struct vm *vm, enum request_type type, int fd)
{
	struct request request = { .type = type };
	int err = fd_send(vm->event_fd, &request, sizeof(request), &fd, fd >= 0, MSG_DONTWAIT);

	return err ? fail(err, "seal: the core manager doesn't listen: %s", strerror(-err)) : 0;
}

/* A VM whose seal fails at any step is ended: it was promised sealed or not at all. */
static void seal_fail(struct vm *vm)
{
	vm->seal.failed = true;
	core_kill(vm);
}

void seal_ask(struct vm *vm)
{
	if (vm->seal.asked)
		return;
	vm->seal.asked = true;
	vm->seal.asked_at = clock_now();
	if (vm->seal.level == SEAL_AUDIT) {
		ledger_mark(vm);
		note("audit: exits are counted from here on, and nothing is taken away");
		return;
	}
	if (request_send(vm, REQUEST_SEAL, -1))
		seal_fail(vm);
}

static int tripwires_open(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	char filter[FILTER_MAX];

	if (!seal->vendor)
		return fail(-ENOTSUP, "seal: \"%s\" needs an AMD or Intel processor's KVM module on this host",
			    seal_level_name(seal->level));
	filter_make(seal, filter);
	for (unsigned int i = 0; i < seal->count; i++) {
		struct watched_vcpu *vcpu = &seal->vcpus[i];
		int err = tripwire_open(&vcpu->tripwire, vcpu->tid, filter);

		if (!err && seal->except_eoi) {
			vcpu->eoi_fd = exit_counter_open(vcpu->tid, seal->vendor->eoi_filter);
			err = MIN(vcpu->eoi_fd, 0);
		}
		if (!err)
			err = request_send(vm, REQUEST_TRIPWIRE, vcpu->tripwire.fd);
		if (err)
			return err;
	}
	return 0;
}

void seal_quiet(struct vm *vm)
{
	struct seal *seal = &vm->seal;
	int err = 0;

	if (level_has_tripwire(seal->level) && vm->plan.page_size == KIB(4))
		warn("memory.page_size: 4K: not pinned: if the host moves or swaps out a page, that exit ends the "
		     "guest; 2M and 1G pages stay");
	if (seal->count != vm->plan.vcpus)
		err = fail(-EPROTO, "seal: the core manager has shown %u vCPUs of %u", seal->count, vm->plan.vcpus);
	if (!err && level_has_tripwire(seal->level))
		err = pages_verify(seal->vm_stats_fd, vm->plan.layout.size);
	if (!err && level_has_tripwire(seal->level))
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

	for (unsigned int i = 0; i < seal->count; i++) {
		int err = thread_verify(vm->core_pid, seal->vcpus[i].tid, SEALED_FILTERS);

		if (!err && level_has_tripwire(seal->level))
			err = tripwire_arm(&seal->vcpus[i].tripwire);
		if (err)
			return err;
	}
	return 0;
}

void seal_finish(struct vm *vm)
{
	if (seal_verify_and_arm(vm)) {
		seal_fail(vm);
		return;
	}
	ledger_mark(vm);
	if (request_send(vm, REQUEST_GO, -1)) {
		seal_fail(vm);
		return;
	}
	vm->seal.sealed = true;
	note("%s: sealed (%s): the boot devices are gone, and the first forbidden exit ends the guest", vm->cfg->name,
	     seal_level_name(vm->seal.level));
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
		tripwire_close(&seal->vcpus[i].tripwire);
		fd_close(&seal->vcpus[i].stats_fd);
		fd_close(&seal->vcpus[i].eoi_fd);
		munmap((void *)seal->vcpus[i].run, page);
	}
	fd_close(&seal->vm_stats_fd);
	seal->count = 0;
}
