// SPDX-License-Identifier: GPL-2.0-only
/* One call at a time. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/file.h"
#include "pinning/host/internal.h"

static int lock_take(int fd, const char *path, bool alone)
{
	if (!flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK)
		return fail(-EBUSY, "host: %s is locked: another nohype host is at work: try again when it has ended",
			    path);
	return fail(-errno, "host: %s: lock: %s", path, strerror(errno));
}

/* The file stays: unlinked, two could each hold a lock on one of their own. */
int state_lock(const char *state, bool alone)
{
	char *path = text_make("%s/host.lock", state);
	int fd, err;

	if (!path)
		return fail(-ENOMEM, "host: no memory for a path");
	if (alone && mkdir(state, 0755) && errno != EEXIST) {
		err = fail(-errno, "host: %s: %s", state, strerror(errno));
		free(path);
		return err;
	}
	fd = open(path, (alone ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
	err = fd < 0 ? -errno : lock_take(fd, path, alone);
	if (fd < 0 && (alone || err != -ENOENT))
		fail(err, "host: %s: %s", path, strerror(-err));
	else if (err && fd >= 0)
		close(fd);
	free(path);
	return err ? err : fd;
}
