// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

#define TOO_BIG "more than 1 MiB: too big for a configuration"
_Static_assert(VM_CONFIG_MAX == 1 << 20, "TOO_BIG says how much");

/* Nothing that could block or never end is read: no pipe, no device. */
static int file_check(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(-errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(-EISDIR, "%s: a directory: wanted a configuration file", path);
	if (!S_ISREG(st.st_mode))
		return fail(-EINVAL, "%s: not a regular file: wanted a configuration file", path);
	if (st.st_size > VM_CONFIG_MAX)
		return fail(-EFBIG, "%s: " TOO_BIG, path);
	return 0;
}

/* Up to VM_CONFIG_MAX + 1 bytes, so that a file that grew meanwhile is seen. */
static ssize_t file_read(int fd, char *text, const char *path)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, VM_CONFIG_MAX + 1 - len);
		if (got < 0 && errno != EINTR)
			return fail(-errno, "%s: read: %s", path, strerror(errno));
		len += (size_t)MAX(got, 0);
	} while (got != 0 && len <= VM_CONFIG_MAX);
	if (len > VM_CONFIG_MAX)
		return fail(-EFBIG, "%s: " TOO_BIG, path);
	return (ssize_t)len;
}

static int text_parse(struct vm_config *cfg, const char *text, size_t len, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int err;

	if (!slash)
		return config_parse(cfg, text, len, path, "");
	folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!folder)
		return fail(-ENOMEM, "%s: no memory for its path", path);
	err = config_parse(cfg, text, len, path, folder);
	free(folder);
	return err;
}

int config_read(struct vm_config *cfg, const char *path)
{
	char *text;
	ssize_t len;
	int fd, err;

	if (*path == '\0')
		return fail(-EINVAL, "\"\": wanted a configuration file's name");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail(-errno, "%s: %s", path, strerror(errno));
	err = file_check(fd, path);
	if (err)
		goto close_file;
	text = malloc(VM_CONFIG_MAX + 1);
	if (!text) {
		err = fail(-ENOMEM, "%s: no memory to read it", path);
		goto close_file;
	}
	len = file_read(fd, text, path);
	err = len < 0 ? (int)len : text_parse(cfg, text, (size_t)len, path);
	free(text);
close_file:
	close(fd);
	return err;
}
