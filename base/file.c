// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

#define FILE_MAX KIB(64) /* a list of 8192 CPUs has at most 20 KiB */

char *file_get(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved;
	char *text = fd < 0 ? NULL : malloc(FILE_MAX + 1);
	ssize_t got = -1;
	size_t len = 0;

	if (fd < 0)
		return NULL;
	while (text && len < FILE_MAX && (got = read(fd, text + len, FILE_MAX - len)) > 0)
		len += (size_t)got;
	saved = text ? errno : ENOMEM;
	close(fd);
	if (got < 0) {
		free(text);
		errno = saved;
		return NULL;
	}
	while (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return text;
}

int file_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

bool file_is(const char *path)
{
	return access(path, F_OK) == 0;
}

char *text_make(const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	return len < 0 ? NULL : text;
}

bool text_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	while (*text) {
		size_t next = strcspn(text, " \t\n");

		if (next == len && strncmp(text, word, len) == 0)
			return true;
		text += next;
		text += strspn(text, " \t\n");
	}
	return false;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int folder_each(const char *path, int (*each)(void *context, const char *name), void *context)
{
	struct dirent **entries;
	int count = scandir(path, &entries, not_hidden, versionsort), result = 0;

	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		if (!result)
			result = each(context, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return result;
}

int boot_id_read(char boot[BOOT_ID_SIZE], const char *root)
{
	char *path = text_make("%s/proc/sys/kernel/random/boot_id", root), *text = path ? file_get(path) : NULL;
	int err = text ? 0 : -errno;

	snprintf(boot, BOOT_ID_SIZE, "%s", text ? text : "");
	free(text);
	free(path);
	return err;
}

int boot_id_check(const char *id)
{
	char boot[BOOT_ID_SIZE];
	int err = boot_id_read(boot, "");

	if (!err && strcmp(boot, id) != 0)
		err = -ESTALE;
	return err;
}

int line_vappend(int fd, const char *format, va_list ap)
{
	char line[LINE_BYTES];
	int len = vsnprintf(line, sizeof(line), format, ap);

	if (len >= (int)sizeof(line))
		return -ENOSPC;
	errno = 0;
	if (write(fd, line, (size_t)len) != len)
		return errno ? -errno : -ENOSPC;
	return fdatasync(fd) ? -errno : 0;
}

int line_append(int fd, const char *format, ...)
{
	va_list ap;
	int err;

	va_start(ap, format);
	err = line_vappend(fd, format, ap);
	va_end(ap);
	return err;
}
