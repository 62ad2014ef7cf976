// SPDX-License-Identifier: GPL-2.0-only
/* Files of the kernel's, as they come: empty, huge, or not there. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/doctor/internal.h"

#define CPUINFO_MAX 16384 /* bytes: the first CPU's part, on any x86 */

/* "" is the root itself. */
static const char *below_root(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

int path_open(const struct doctor *doctor, const char *path)
{
	int fd = openat(doctor->root, below_root(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return fd;
}

bool path_exists(const struct doctor *doctor, const char *path)
{
	return faccessat(doctor->root, below_root(path), F_OK, 0) == 0;
}

ssize_t value_read(const struct doctor *doctor, const char *path, char *text, size_t size)
{
	int fd = path_open(doctor, path);
	ssize_t got = 1;
	size_t len = 0;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	while (got > 0 && len < size - 1) {
		got = read(fd, text + len, size - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		got = -errno;
	close(fd);
	text[len] = '\0';
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return got < 0 ? got : (ssize_t)len;
}

int number_read(const struct doctor *doctor, const char *path, long long *number)
{
	char text[VALUE_MAX], *end;
	ssize_t len = value_read(doctor, path, text, sizeof(text));

	if (len < 0)
		return (int)len;
	errno = 0;
	*number = strtoll(text, &end, 0);
	return len == 0 || *end || errno ? -EINVAL : 0;
}

int list_read(const struct doctor *doctor, const char *path, cpu_set_t *set)
{
	char text[VALUE_MAX];
	ssize_t len = value_read(doctor, path, text, sizeof(text));

	return len < 0 ? (int)len : list_parse(text, set);
}

int mask_read(const struct doctor *doctor, const char *path, cpu_set_t *set)
{
	char text[VALUE_MAX];
	ssize_t len = value_read(doctor, path, text, sizeof(text));

	return len < 0 ? (int)len : mask_parse(text, set);
}

int entries_each(const struct doctor *doctor, const char *path, entry_fn *entry, void *ctx)
{
	const struct dirent *found;
	int fd = path_open(doctor, path), count = 0;
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (fd < 0)
		return fd;
	if (!folder) {
		count = -errno;
		close(fd);
		return count;
	}
	while ((found = readdir(folder))) {
		if (found->d_name[0] == '.')
			continue;
		entry(doctor, found->d_name, ctx);
		count++;
	}
	closedir(folder);
	return count;
}

int lines_each(const struct doctor *doctor, const char *path, line_fn *line, void *ctx)
{
	int fd = path_open(doctor, path), count = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	char *text = NULL;
	size_t size = 0;
	bool more = true;

	if (fd < 0)
		return fd;
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	while (more && getline(&text, &size, file) >= 0) {
		text[strcspn(text, "\n")] = '\0';
		count++;
		more = line(text, ctx);
	}
	if (ferror(file))
		count = -EIO;
	free(text);
	fclose(file);
	return count;
}

int flag_has(const struct doctor *doctor, const char *flag)
{
	char text[CPUINFO_MAX], *line, *word;
	ssize_t len = value_read(doctor, "/proc/cpuinfo", text, sizeof(text));

	if (len < 0)
		return (int)len;
	line = strstr(text, "\nflags");
	if (!line)
		return -ENODATA;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	for (word = strtok_r(line, " \t:\n", &line); word; word = strtok_r(NULL, " \t:\n", &line))
		if (strcmp(word, flag) == 0)
			return 1;
	return 0;
}
