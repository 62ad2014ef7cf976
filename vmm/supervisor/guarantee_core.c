// SPDX-License-Identifier: GPL-2.0-only
/* The guarantees about the core manager: what it holds, what ends it, what it may ask of the kernel. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/util.h"
#include "vmm/supervisor/guarantees.h"
#include "vmm/supervisor/internal.h"
#include "vmm/supervisor/proc.h"

#define THREADS_MAX (VM_VCPUS_MAX + 8)
#define PATIENCE    1000 /* tries, a millisecond each */

/* What a thread of the core manager holds. */
struct holdings {
	unsigned int vcpus, vms, perf_events, sockets, others;
	char other[64]; /* the first of the others */
};

static void holding_count(struct holdings *held, const char *what)
{
	static const char vcpu[] = "anon_inode:kvm-vcpu:", perf[] = "anon_inode:[perf_event]", socket[] = "socket:";

	if (strncmp(what, vcpu, sizeof(vcpu) - 1) == 0)
		held->vcpus++;
	else if (strcmp(what, perf) == 0)
		held->perf_events++;
	else if (strcmp(what, "anon_inode:kvm-vm") == 0)
		held->vms++;
	else if (strncmp(what, socket, sizeof(socket) - 1) == 0)
		held->sockets++;
	else if (!held->others++)
		escape_text(held->other, sizeof(held->other), what, strlen(what));
}

/* A thread's file descriptors, by kind. Negative errno, reported to nobody. */
static int holdings_read(pid_t pid, pid_t tid, struct holdings *held)
{
	const struct dirent *entry;
	char path[64], what[128];
	DIR *folder;

	*held = (struct holdings){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", (int)pid, (int)tid);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		ssize_t len =
			entry->d_name[0] == '.' ? -1 : readlinkat(dirfd(folder), entry->d_name, what, sizeof(what) - 1);

		if (len < 0)
			continue;
		what[len] = '\0';
		holding_count(held, what);
	}
	closedir(folder);
	return 0;
}

/* The main thread's, and what any other has besides in a table of its own. */
static int holdings_read_all(pid_t pid, struct holdings *all)
{
	pid_t tids[THREADS_MAX];
	int count = threads_read(pid, tids, THREADS_MAX), err = holdings_read(pid, pid, all);

	for (int i = 0; !err && i < count; i++) {
		struct holdings one;

		if (holdings_read(pid, tids[i], &one))
			continue; /* the kernel lets us look at all of them or at none */
		if (one.sockets > all->sockets)
			all->sockets = one.sockets;
		if (one.others > all->others)
			all->others = one.others;
		if (one.others)
			memcpy(all->other, one.other, sizeof(all->other));
	}
	return count < 0 ? count : err;
}

void guarantee_devices(const struct vm *vm, struct guarantee *row)
{
	struct holdings held;
	char files[128];
	int err = holdings_read_all(vm->core_pid, &held);

	if (err) {
		guarantee_set(row, GUARANTEE_NOT_HAD, "/proc/%d/fd of the core manager: %s", (int)vm->core_pid,
			      strerror(-err));
		return;
	}
	/* KVM gives interrupts of functions to the VM as long as it is open, and no filter allows an ioctl on it */
	if (held.vms > 1 || (held.vms && !vm->plan.functions.count && !held.others++))
		snprintf(held.other, sizeof(held.other), "the VM itself");
	snprintf(files, sizeof(files), "%u vCPU%s, %s%u perf event%s, %u socket%s", held.vcpus,
		 held.vcpus == 1 ? "" : "s", held.vms ? "the VM's interrupts, " : "", held.perf_events,
		 held.perf_events == 1 ? "" : "s", held.sockets, held.sockets == 1 ? "" : "s");
	if (held.others)
		guarantee_set(row, GUARANTEE_NOT_HELD,
			      "boot's are there: the core manager holds %s, and %u more, as %s", files, held.others,
			      held.other);
	else if (held.sockets > 1 || vm->seal.level == SEAL_AUDIT)
		guarantee_set(row, GUARANTEE_NOT_HELD, "boot's are there: the core manager holds %s", files);
	else
		guarantee_set(row, GUARANTEE_HELD, "none; the core manager holds %s to the supervisor", files);
}

/* The kernel's time in which the event has been enabled, in ns; 0: it never was. */
static uint64_t event_time(int fd)
{
	uint64_t values[2]; /* the count, and with PERF_FORMAT_TOTAL_TIME_ENABLED this */

	return read(fd, values, sizeof(values)) == (ssize_t)sizeof(values) ? values[1] : 0;
}

unsigned int tripwires_armed(const struct vm *vm)
{
	unsigned int armed = 0, tries = PATIENCE;

	for (unsigned int i = 0; i < vm->seal.count; i++) {
		int fd = vm->seal.vcpus[i].tripwire.fd;

		/* the time is the thread's, and it may be waiting for the core that we are on */
		while (fd >= 0 && !event_time(fd) && --tries)
			poll(NULL, 0, 1);
		armed += fd >= 0 && tries;
	}
	return armed;
}

/* ", except eoi: 41 so far" */
static void exceptions_list(const struct vm *vm, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned int kind = 0; kind < EXCEPT_COUNT && used < size; kind++)
		if (vm->seal.except[kind])
			used += (size_t)snprintf(text + used, size - used, ", except %s: %" PRIu64 " so far",
						 except_name(kind), exceptions_count(vm, kind));
}

/* The first vCPU that a tripwire may not be able to end, into @why. 0: there is none, or they have ended. */
static int traps_judge(const struct vm *vm, char *why, size_t size)
{
	int err = 0;

	for (unsigned int i = 0; i < vm->seal.count && !vm->core_gone && !err; i++) {
		char text[TRAP_WHY_MAX];

		err = thread_trap(vm->core_pid, vm->seal.vcpus[i].tid, text, sizeof(text));
		if (err)
			snprintf(why, size, "vCPU %u: %s", i, text);
	}
	return err;
}

static void tripwire_judge(const struct vm *vm, struct guarantee *row)
{
	const struct seal *seal = &vm->seal;
	char except[128], why[TRAP_WHY_MAX + sizeof("vCPU 4294967295: ")];
	int err = traps_judge(vm, why, sizeof(why));

	exceptions_list(vm, except, sizeof(except));
	if (err)
		guarantee_set(row, err == -EPERM ? GUARANTEE_NOT_HELD : GUARANTEE_NOT_HAD, "%s: %s",
			      seal_level_name(seal->level), why);
	else if (seal->armed < seal->count)
		guarantee_set(row, GUARANTEE_NOT_HELD, "%s: the tripwire was seen armed on %u of %u vCPUs%s",
			      seal_level_name(seal->level), seal->armed, seal->count, except);
	else
		guarantee_set(row, GUARANTEE_HELD, "%s%s: tripwire armed on %u of %u vCPUs, able to kill%s",
			      seal_level_name(seal->level),
			      seal->level == SEAL_SILENT && !seal->settled ? " (not settled yet)" : "", seal->armed,
			      seal->count, except);
}

void guarantee_exits(const struct vm *vm, struct guarantee *row)
{
	const struct seal *seal = &vm->seal;

	if (seal->level == SEAL_AUDIT)
		guarantee_set(row, GUARANTEE_NOT_HELD, "audit: exits are counted, and none of them ends it");
	else if (seal->level == SEAL_USERSPACE)
		guarantee_set(row, GUARANTEE_HELD,
			      "userspace: what comes back to the core manager ends it; KVM's own answers do not");
	else if (seal->tripwire == TRIPWIRE_POLLED)
		guarantee_set(
			row, GUARANTEE_HELD,
			"%s, polled: an exit ends it some milliseconds later, as KVM's statistics are read every %d "
			"ms; the kernel ends nothing by itself",
			seal_level_name(seal->level), POLLED_MS);
	else
		tripwire_judge(vm, row);
}

/* The fewest filters that any of these threads has; 0 if one has none. Negative errno: a status can't be read. */
static int filters_read(pid_t pid, const pid_t *tids, int count, uint64_t *least)
{
	*least = count > 0 ? UINT64_MAX : 0;
	for (int i = 0; i < count; i++) {
		uint64_t mode = 0, filters = 0;
		char status[STATUS_MAX];
		int err = status_read(pid, tids[i], status);

		if (err)
			return err;
		if (!status_number(status, "Seccomp", 10, &mode) || mode != 2 ||
		    !status_number(status, "Seccomp_filters", 10, &filters))
			filters = 0;
		*least = MIN(*least, filters);
	}
	return MIN(count, 0);
}

/* The threads that run a program, THREADS_MAX at most: how many, or negative errno. */
static int programs_read(pid_t pid, pid_t *tids)
{
	int all = threads_read(pid, tids, THREADS_MAX), count = 0;

	for (int i = 0; i < all; i++)
		if (!thread_is_worker(pid, tids[i]))
			tids[count++] = tids[i];
	return all < 0 ? all : count;
}

void guarantee_calls(const struct vm *vm, struct guarantee *row)
{
	/* the main thread takes its last filter right before the vCPUs go on */
	const char *which = vm->seal.sealed ? "" : " vCPU";
	pid_t tids[THREADS_MAX];
	int count = (int)vm->seal.count, err;
	uint64_t filters;

	if (vm->seal.sealed)
		count = programs_read(vm->core_pid, tids);
	else
		for (int i = 0; i < count; i++)
			tids[i] = vm->seal.vcpus[i].tid;
	err = filters_read(vm->core_pid, tids, count, &filters);
	if (err)
		guarantee_set(row, GUARANTEE_NOT_HAD, "/proc/%d/task of the core manager: %s", (int)vm->core_pid,
			      strerror(-err));
	else if (filters < SEALED_FILTERS)
		guarantee_set(row, GUARANTEE_NOT_HELD,
			      "%d%s thread%s with %" PRIu64 " filter%s each, wanted %d: boot's and the last", count,
			      which, count == 1 ? "" : "s", filters, filters == 1 ? "" : "s", SEALED_FILTERS);
	else
		guarantee_set(row, GUARANTEE_HELD, "all %d%s thread%s in seccomp mode 2, with %" PRIu64 " filters each",
			      count, which, count == 1 ? "" : "s", filters);
}
