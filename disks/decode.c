// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "disks/internal.h"

#define PIPE_SIZE  (1 << 20)
#define UNCONFINED 99

static enum unpack_end unpack(enum disk_format format)
{
	switch (format) {
	case DISK_GZIP:
		return unpack_gzip();
	case DISK_XZ:
		return unpack_xz();
	default:
		return unpack_zstd();
	}
}

/* The child, which has no mapping of the guest's memory: that is left out of children. */
static void unpacker_run(const struct disk_image *image, int out)
{
	if (lseek(image->fd, 0, SEEK_SET) || confine_unpacker(image->fd, out))
		_exit(UNCONFINED);
	/* the raw call: a sanitizer's own exit makes others, which the filter forbids */
	syscall(SYS_exit_group, (int)unpack(image->format));
	_exit(UNCONFINED); /* not reached */
}

/* Where the unpacker is in the file says how far it is: they share the position. */
static void progress_say(const struct disk_image *image, disk_progress_fn *progress, void *ctx)
{
	off_t at = lseek(image->fd, 0, SEEK_CUR);

	if (progress && at >= 0)
		progress(ctx, (uint64_t)at, (uint64_t)image->st.st_size);
}

/* All that comes, into [@to, @to + @room); *@len: how much there was, more than @room if it doesn't fit. */
static int content_receive(const struct disk_image *image, int in, uint8_t *to, uint64_t room, uint64_t *len,
			   disk_progress_fn *progress, void *ctx)
{
	uint8_t more;

	for (*len = 0;;) {
		bool full = *len == room;
		ssize_t got = read(in, full ? &more : to + *len, full ? 1 : MIN(room - *len, (uint64_t)PIPE_SIZE));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		*len += (uint64_t)got;
		if (got == 0 || *len > room)
			return 0;
		progress_say(image, progress, ctx);
	}
}

static int fail_unpacked(const struct disk_image *image, int status)
{
	const char *name = disk_format_name(image->format);

	if (WIFSIGNALED(status))
		return image_fail(image, -EIO, "its unpacker (%s) was ended by signal %d (%s)", name, WTERMSIG(status),
				  strsignal(WTERMSIG(status)));
	switch (WEXITSTATUS(status)) {
	case UNPACK_DONE:
		return 0;
	case UNPACK_TRUNCATED:
		return image_fail(image, -EIO, "is truncated: its %s data ends too early", name);
	case UNPACK_DAMAGED:
		return image_fail(image, -EIO, "is damaged: its %s data can't be unpacked", name);
	case UNPACK_MEMORY:
		return image_fail(image, -ENOMEM, "can't be unpacked: its %s data wants more memory than it is given",
				  name);
	case UNPACK_READ:
		return image_fail(image, -EIO, "can't be read by its unpacker (%s)", name);
	default:
		return image_fail(image, -EIO, "its unpacker (%s) could not be confined, or to write", name);
	}
}

static int unpacker_end(pid_t pid, bool kill_it, int *status)
{
	if (kill_it)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int image_decode(const struct disk_image *image, uint8_t *to, uint64_t room, disk_progress_fn *progress, void *ctx)
{
	int ends[2], err, status = 0;
	uint64_t len = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return image_fail(image, -errno, "pipe: %s", strerror(errno));
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	pid = fork();
	if (pid == 0)
		unpacker_run(image, ends[1]);
	fd_close(&ends[1]);
	err = pid < 0 ? -errno : content_receive(image, ends[0], to, room, &len, progress, ctx);
	fd_close(&ends[0]);
	if (pid > 0 && unpacker_end(pid, err || len > room, &status))
		err = err ? err : -ECHILD;
	if (err)
		return image_fail(image, err, "unpack: %s", strerror(-err));
	if (len > room)
		return image_fail(image, -EFBIG,
				  "is more than its device has (%" PRIu64
				  " MiB) when unpacked: wanted a larger \"size\"",
				  room >> 20);
	return fail_unpacked(image, status);
}
