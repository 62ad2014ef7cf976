// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"

#define READ_CHUNK MIB(16)

int file_fail(const struct boot_file *file, int err, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX], path[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	quote_text(path, sizeof(path), file->path, strlen(file->path));
	return fail(err, "%s %s: %s", file->what, path, text);
}

static int stat_check(struct boot_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return file_fail(file, -errno, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return file_fail(file, -EISDIR, "is a directory: wanted a file");
	if (!S_ISREG(st.st_mode))
		return file_fail(file, -EINVAL, "is not a regular file");
	if (st.st_size == 0)
		return file_fail(file, -ENOEXEC, "is empty");
	file->size = st.st_size;
	return 0;
}

/* O_NONBLOCK: a FIFO's open would wait for a writer; it means nothing to a regular file. */
int file_open(struct boot_file *file, const char *what, const char *path)
{
	int err;

	*file = (struct boot_file){ .what = what, .path = path };
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->fd < 0)
		return file_fail(file, -errno, "%s", strerror(errno));
	err = stat_check(file);
	if (err)
		file_close(file);
	return err;
}

void file_close(struct boot_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int file_read(const struct boot_file *file, void *to, uint64_t offset, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		ssize_t got = pread(file->fd, (char *)to + done, MIN(len - done, READ_CHUNK), offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return file_fail(file, -errno, "read at byte %" PRIu64 ": %s", offset + done, strerror(errno));
		if (got == 0)
			return file_fail(file, -EIO,
					 "changed while it was read: ends at byte %" PRIu64 ", had %" PRIu64,
					 offset + done, file->size);
		done += got;
	}
	return 0;
}
