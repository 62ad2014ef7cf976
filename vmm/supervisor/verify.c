// SPDX-License-Identifier: GPL-2.0-only
/* Nothing is called sealed by what we did: by what the kernel says of it. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/proc.h"
#include "vmm/supervisor/seal.h"
#include "vmm/supervisor/stats.h"

#define TRAP_BIT (1ULL << (SIGTRAP - 1))

/* The innermost number of NSpid: 1 is a PID namespace's first process, which SIGTRAP's default doesn't end. */
static bool status_is_first(const char *text)
{
	char value[128];
	const char *last;

	if (!status_line(text, "NSpid", value, sizeof(value)))
		return true;
	last = strrchr(value, '\t');
	return strcmp(last ? last + 1 : value, "1") == 0;
}

/* What of its status keeps SIGTRAP from ending a thread, into @why: -EPERM. */
static int trap_check(const char *text, char *why, size_t size)
{
	uint64_t blocked = 0, ignored = 0, caught = 0, tracer = 0;

	if (!status_number(text, "SigBlk", 16, &blocked) || !status_number(text, "SigIgn", 16, &ignored) ||
	    !status_number(text, "SigCgt", 16, &caught) || !status_number(text, "TracerPid", 10, &tracer)) {
		snprintf(why, size, "its status can't be read");
		return -EPROTO;
	}
	if ((blocked | ignored | caught) & TRAP_BIT)
		snprintf(why, size, "SIGTRAP is %s there: a tripwire could not end it",
			 blocked & TRAP_BIT   ? "blocked"
			 : ignored & TRAP_BIT ? "ignored"
					      : "caught");
	else if (tracer)
		snprintf(why, size, "process %" PRIu64 " debugs it, and would get its SIGTRAP", tracer);
	else
		return 0;
	return -EPERM;
}

int thread_trap(pid_t pid, pid_t tid, char *why, size_t size)
{
	char text[STATUS_MAX];
	int err = status_read(pid, tid, text);

	if (!err)
		return trap_check(text, why, size);
	snprintf(why, size, "its status can't be read: %s", strerror(-err));
	return err;
}

static int status_check(const char *text, pid_t tid, unsigned int filters)
{
	uint64_t mode = 0, count = 0;
	char why[TRAP_WHY_MAX];
	int err = trap_check(text, why, sizeof(why));

	if (err)
		return fail(err, "thread %d: %s", (int)tid, why);
	if (!status_number(text, "Seccomp", 10, &mode) || !status_number(text, "Seccomp_filters", 10, &count))
		return fail(-EPROTO, "thread %d: its status can't be read", (int)tid);
	if (status_is_first(text))
		return fail(-EPERM, "thread %d: the first process of its PID namespace: SIGTRAP would not end it",
			    (int)tid);
	if (mode != 2 || count < filters)
		return fail(-EPERM, "thread %d: %" PRIu64 " seccomp filters, wanted %u", (int)tid, count, filters);
	return 0;
}

int thread_verify(pid_t pid, pid_t tid, unsigned int filters)
{
	char text[STATUS_MAX];
	int err = status_read(pid, tid, text);

	if (err)
		return fail(err, "/proc/%d/task/%d/status: %s", (int)pid, (int)tid, strerror(-err));
	return status_check(text, tid, filters);
}

const struct page_kind page_kinds[PAGE_KINDS] = {
	{ "pages_4k", KIB(4) },
	{ "pages_2m", MIB(2) },
	{ "pages_1g", GIB(1) },
};

int pages_read(int vm_stats_fd, uint64_t counts[PAGE_KINDS], uint64_t *mapped)
{
	const char *names[PAGE_KINDS];
	uint64_t at[PAGE_KINDS];
	int err;

	for (size_t i = 0; i < PAGE_KINDS; i++)
		names[i] = page_kinds[i].name;
	err = stats_find(vm_stats_fd, names, PAGE_KINDS, at);
	*mapped = 0;
	for (size_t i = 0; !err && i < PAGE_KINDS; i++) {
		if (!stats_read(vm_stats_fd, at[i], &counts[i]))
			err = fail(-EPROTO, "KVM's statistics: a value is missing");
		else
			*mapped += counts[i] * page_kinds[i].size;
	}
	return err;
}

int pages_verify(int vm_stats_fd, uint64_t size)
{
	uint64_t counts[PAGE_KINDS], mapped;
	int err = pages_read(vm_stats_fd, counts, &mapped);

	if (err)
		return err;
	if (mapped < size)
		return fail(-EFAULT,
			    "mapped pages: %" PRIu64 " of %" PRIu64
			    " MiB: the guest would exit at the first use of the rest",
			    mapped >> 20, size >> 20);
	return 0;
}
