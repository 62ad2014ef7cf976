/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_CALLS_H
#define TESTS_UNIT_CALLS_H

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* One system call in a child of its own that has a filter on: what the tests of all filters share. */
#define NONE	       (-1L)
#define SELF	       (-2L) /* an argument that is the child's own number */
#define LAST_SYSCALL   480
#define X32	       0x40000000L
#define EXIT_NO_FILTER 99

struct call {
	long nr;
	long args[4];
};

/* Puts the filter on, the last thing before the call; not 0: it couldn't. */
typedef int filter_fn(int which);

/* The child, until it has its filter on. */
static inline void child_begin(filter_fn *filter, int which)
{
	setsid(); /* no terminal that a call could do something to */
	alarm(20);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	if (filter(which))
		_exit(EXIT_NO_FILTER);
}

/* Ends by itself if @call lets it; by raw calls, since a sanitizer's own exit, and its handlers, make more. */
static inline void child_run(filter_fn *filter, int which, const struct call *call)
{
	long args[4];

	for (unsigned int i = 0; i < 4; i++)
		args[i] = call->args[i] == SELF ? getpid() : call->args[i];
	child_begin(filter, which);
	syscall(call->nr, args[0], args[1], args[2], args[3], NONE, NONE);
	for (;;)
		syscall(SYS_exit_group, 0);
}

/* The signal that ended the child, or 0. */
static inline int signal_of(pid_t child)
{
	int status;

	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	ck_assert_int_ne(WEXITSTATUS(status), EXIT_NO_FILTER);
	return 0;
}

static inline int child_try(filter_fn *filter, int which, const struct call *call)
{
	pid_t child = fork();

	if (child == 0)
		child_run(filter, which, call);
	return signal_of(child);
}

/* uretprobe and uprobe: Linux lets its own trampolines of them pass any filter, and kills who isn't one (6.11). */
static inline bool is_probe(long nr)
{
	return nr == 335 || nr == 336;
}

#endif
