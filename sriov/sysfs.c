// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "sriov/internal.h"

#define FORMAT(path, format)                                   \
	do {                                                   \
		va_list ap;                                    \
                                                               \
		va_start(ap, format);                          \
		vsnprintf((path), sizeof(path), (format), ap); \
		va_end(ap);                                    \
	} while (0)

static int text_read(char text[SYSFS_TEXT], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t len;

	*text = '\0';
	if (fd < 0)
		return -errno;
	len = read(fd, text, SYSFS_TEXT - 1);
	if (len < 0)
		err = -errno;
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err;
}

int sysfs_read(char text[SYSFS_TEXT], const char *format, ...)
{
	char path[PATH_MAX];

	FORMAT(path, format);
	return text_read(text, path);
}

int sysfs_write(const char *text, const char *format, ...)
{
	char path[PATH_MAX];

	FORMAT(path, format);
	return file_put(path, text);
}

int sysfs_link(char text[SYSFS_TEXT], const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t len;

	FORMAT(path, format);
	*text = '\0';
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	slash = strrchr(target, '/');
	snprintf(text, SYSFS_TEXT, "%.*s", SYSFS_TEXT - 1, slash ? slash + 1 : target);
	return 0;
}

bool sysfs_is(const char *format, ...)
{
	char path[PATH_MAX];

	FORMAT(path, format);
	return file_is(path);
}

long long sysfs_number(const char *format, ...)
{
	char path[PATH_MAX], text[SYSFS_TEXT], *end;
	long long number;

	FORMAT(path, format);
	if (text_read(text, path) || !*text)
		return -1;
	number = strtoll(text, &end, 0);
	return *end ? -1 : number;
}

int sysfs_each(const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	return file_is(path) ? folder_each(path, each, ctx) : -ENOENT;
}
