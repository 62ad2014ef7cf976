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
#include "vmm/supervisor/seal.h"

#define TRAP_BIT (1ULL << (SIGTRAP - 1))

/* The value of a line "NAME:\tVALUE" of a status file, without its newline. */
static bool status_line(const char *text, const char *name, char *value, size_t size)
{
	const char *at = text;
	size_t len = strlen(name);

	while (at && (strncmp(at, name, len) != 0 || at[len] != ':')) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return false;
	at += len + 1;
	at += strspn(at, " \t");
	snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

static bool status_number(const char *text, const char *name, int base, uint64_t *number)
{
	char value[64];

	if (!status_line(text, name, value, sizeof(value)))
		return false;
	*number = strtoull(value, NULL, base);
	return true;
}

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

static int status_check(const char *text, pid_t tid, unsigned int filters)
{
	uint64_t blocked = 0, ignored = 0, caught = 0, tracer = 0, mode = 0, count = 0;

	if (!status_number(text, "SigBlk", 16, &blocked) || !status_number(text, "SigIgn", 16, &ignored) ||
	    !status_number(text, "SigCgt", 16, &caught) || !status_number(text, "TracerPid", 10, &tracer) ||
	    !status_number(text, "Seccomp", 10, &mode) || !status_number(text, "Seccomp_filters", 10, &count))
		return fail(-EPROTO, "thread %d: its status can't be read", (int)tid);
	if ((blocked | ignored | caught) & TRAP_BIT)
		return fail(-EPERM, "thread %d: SIGTRAP is %s there: a tripwire could not end it", (int)tid,
			    blocked & TRAP_BIT	 ? "blocked"
			    : ignored & TRAP_BIT ? "ignored"
						 : "caught");
	if (tracer)
		return fail(-EPERM, "thread %d: process %" PRIu64 " debugs it, and would get its SIGTRAP", (int)tid,
			    tracer);
	if (status_is_first(text))
		return fail(-EPERM, "thread %d: the first process of its PID namespace: SIGTRAP would not end it",
			    (int)tid);
	if (mode != 2 || count < filters)
		return fail(-EPERM, "thread %d: %" PRIu64 " seccomp filters, wanted %u", (int)tid, count, filters);
	return 0;
}

int thread_verify(pid_t pid, pid_t tid, unsigned int filters)
{
	char path[64], text[4096];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	file = fopen(path, "re");
	if (!file)
		return fail(-errno, "%s: %s", path, strerror(errno));
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return status_check(text, tid, filters);
}

int pages_verify(int vm_stats_fd, uint64_t size)
{
	static const struct {
		const char *name;
		uint64_t size;
	} kinds[] = { { "pages_4k", KIB(4) }, { "pages_2m", MIB(2) }, { "pages_1g", GIB(1) } };
	uint64_t mapped = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		uint64_t count;
		int err = stats_value(vm_stats_fd, kinds[i].name, &count);

		if (err)
			return err;
		mapped += count * kinds[i].size;
	}
	if (mapped < size)
		return fail(-EFAULT,
			    "mapped pages: %" PRIu64 " of %" PRIu64
			    " MiB: the guest would exit at the first use of the rest",
			    mapped >> 20, size >> 20);
	return 0;
}
