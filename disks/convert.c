// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formats of other programs, by qemu-img: started without a shell, on two fds and no path, so that there is nothing for
 * an image or its name to be taken for.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/util.h"
#include "disks/internal.h"

#define SAID_MAX 512
enum { AT_IMAGE = 3, AT_TARGET };

static const char *const programs[] = { "/usr/bin/qemu-img", "/usr/local/bin/qemu-img" };

static const char *program_find(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!access(programs[i], X_OK))
			return programs[i];
	return NULL;
}

/* Without a name, so that nothing is left if we are killed; beside the image, where there should be room. */
int spool_make(const struct disk_image *image, uint64_t size)
{
	char *real = strdup(image->real);
	int fd = real ? open(dirname(real), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

	free(real);
	if (fd < 0)
		fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return image_fail(image, -errno, "a temporary file beside it or in /var/tmp: %s", strerror(errno));
	if (ftruncate(fd, (off_t)size)) {
		int err = image_fail(image, -errno, "a temporary file of its size: %s", strerror(errno));

		close(fd);
		return err;
	}
	return fd;
}

/* The three are moved out of each other's way first. Of the terminal that we may have it gets nothing. */
static int fds_place(int image, int target, int said)
{
	int none = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (none < 0 || dup2(none, STDIN_FILENO) < 0 || setsid() < 0)
		return -errno;
	image = fcntl(image, F_DUPFD, 10);
	target = fcntl(target, F_DUPFD, 10);
	said = fcntl(said, F_DUPFD, 10);
	if (image < 0 || target < 0 || said < 0 || dup2(image, AT_IMAGE) < 0 || dup2(target, AT_TARGET) < 0 ||
	    dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
		return -errno;
	return close_range(AT_TARGET + 1, ~0U, 0) ? -errno : 0;
}

static void program_run(const char *program, const struct disk_image *image, int target, int said)
{
	const char *driver = image->format == DISK_VPC ? "vpc" : disk_format_name(image->format);
	char *const envp[] = { NULL };
	char from[128];
	char *const argv[] = { "qemu-img",
			       "convert",
			       "-n",
			       "--image-opts",
			       "--target-image-opts",
			       from,
			       "driver=raw,file.driver=file,file.filename=/dev/fd/4,file.locking=off",
			       NULL };

	snprintf(from, sizeof(from), "driver=%s,file.driver=file,file.filename=/dev/fd/3,file.locking=off", driver);
	if (fds_place(image->fd, target, said) || confine_qemu(AT_IMAGE, AT_TARGET)) {
		(void)!write(STDERR_FILENO, "it could not be confined", 24);
		_exit(1);
	}
	execve(program, argv, envp);
	(void)!write(STDERR_FILENO, "it could not be started", 23);
	_exit(1);
}

/* Its first words; all are read, so that it doesn't wait. */
static size_t words_read(int fd, char said[SAID_MAX])
{
	char rest[SAID_MAX] = "";
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, len < SAID_MAX ? said + len : rest, len < SAID_MAX ? SAID_MAX - len : SAID_MAX);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return len;
		len = MIN(len + (size_t)got, (size_t)SAID_MAX);
	}
}

static int program_wait(const struct disk_image *image, pid_t pid, int said_fd)
{
	char said[SAID_MAX], shown[SAID_MAX];
	size_t len = words_read(said_fd, said);
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return image_fail(image, -errno, "qemu-img: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	while (len && said[len - 1] == '\n')
		len--;
	escape_text(shown, sizeof(shown), said, len);
	return image_fail(image, -EIO, "qemu-img could not read it as %s: %s", disk_format_name(image->format), shown);
}

static int program_start(const struct disk_image *image, const char *program, int target)
{
	int ends[2], err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return image_fail(image, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		program_run(program, image, target, ends[1]);
	fd_close(&ends[1]);
	err = pid < 0 ? image_fail(image, -errno, "fork: %s", strerror(errno)) : program_wait(image, pid, ends[0]);
	fd_close(&ends[0]);
	return err;
}

int image_convert(const struct disk_image *image, uint64_t room)
{
	const char *program = program_find();
	int target, err;

	if (!program)
		return image_fail(image, -ENOENT,
				  "is %s, for which qemu-img is needed, and that isn't here: install it (Debian's "
				  "qemu-utils), or convert the image elsewhere",
				  disk_format_name(image->format));
	target = spool_make(image, room);
	if (target < 0)
		return target;
	err = program_start(image, program, target);
	if (err)
		fd_close(&target);
	return err ? err : target;
}
