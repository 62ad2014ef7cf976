// SPDX-License-Identifier: GPL-2.0-only
#include "base/forked.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

#define TRY_MS 10

/* The least of @fds that is @low or above; ~0U: none is. */
static unsigned int next_kept(const int *fds, size_t count, unsigned int low)
{
	unsigned int next = ~0U;

	for (size_t i = 0; i < count; i++)
		if (fds[i] >= (int)low && (unsigned int)fds[i] < next)
			next = (unsigned int)fds[i];
	return next;
}

void forked_keep(const int *fds, size_t count)
{
	unsigned int low = STDERR_FILENO + 1, next;

	do {
		next = next_kept(fds, count, low);
		if (next > low)
			syscall(SYS_close_range, low, next == ~0U ? next : next - 1, 0);
		low = next + 1;
	} while (next != ~0U);
}

/* Or is about to be reaped. */
static bool is_dead(pid_t pid)
{
	struct pollfd process = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool dead = process.fd < 0 ? errno == ESRCH || errno == EINVAL : poll(&process, 1, 0) == 1;

	fd_close(&process.fd);
	return dead;
}

int forked_lock(int fd, pid_t pid)
{
	for (int left = FORKED_MS; flock(fd, LOCK_EX | LOCK_NB); left -= TRY_MS) {
		int err = -errno;

		if (err != -EWOULDBLOCK || left <= 0 || !is_dead(pid))
			return err;
		poll(NULL, 0, TRY_MS);
	}
	return 0;
}
