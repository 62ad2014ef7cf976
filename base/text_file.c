// SPDX-License-Identifier: GPL-2.0-only
#include "base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

static int too_big(const char *path, size_t max, const char *what)
{
	return fail(-EFBIG, "%s: more than %zu MiB: too big for %s", path, max >> 20, what);
}

/* Nothing that could block or never end is read: no pipe, no device. */
static int file_check(int fd, const char *path, const char *file)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(-errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(-EISDIR, "%s: a directory: wanted %s", path, file);
	if (!S_ISREG(st.st_mode))
		return fail(-EINVAL, "%s: not a regular file: wanted %s", path, file);
	return 0;
}

/* Up to @max + 1 bytes, so that a file that is too big, or grew meanwhile, is seen. */
static ssize_t file_read(int fd, char *text, size_t max, const char *path, const char *what)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, max + 1 - len);
		if (got < 0 && errno != EINTR)
			return fail(-errno, "%s: read: %s", path, strerror(errno));
		len += (size_t)MAX(got, 0);
	} while (got != 0 && len <= max);
	return len > max ? too_big(path, max, what) : (ssize_t)len;
}

ssize_t text_file_read(const char *path, size_t max, const char *what, const char *file, char **text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len;

	if (fd < 0)
		return fail(-errno, "%s: %s", path, strerror(errno));
	*text = NULL;
	len = file_check(fd, path, file);
	if (len)
		goto close_file;
	*text = malloc(max + 1);
	len = *text ? file_read(fd, *text, max, path, what) : fail(-ENOMEM, "%s: no memory to read it", path);
	if (len < 0) {
		free(*text);
		*text = NULL;
	}
close_file:
	close(fd);
	return len;
}
