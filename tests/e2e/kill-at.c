// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into a program, kills it (SIGKILL) right before its call number KILL_AT, from 1, of those that change
 * something: the functions below.
 */
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void call_counts(void)
{
	static int calls;
	const char *at = getenv("KILL_AT");

	if (at && ++calls == atoi(at))
		kill(getpid(), SIGKILL);
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size)
{
	call_counts();
	return NEXT(write)(fd, bytes, size);
}

int mkdir(const char *path, mode_t mode)
{
	call_counts();
	return NEXT(mkdir)(path, mode);
}

int rmdir(const char *path)
{
	call_counts();
	return NEXT(rmdir)(path);
}

int unlink(const char *path)
{
	call_counts();
	return NEXT(unlink)(path);
}

int fsync(int fd)
{
	call_counts();
	return NEXT(fsync)(fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
	call_counts();
	return NEXT(renameat)(from, old, to, new);
}

int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	call_counts();
	return NEXT(sched_setaffinity)(pid, size, set);
}
