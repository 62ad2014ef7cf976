// SPDX-License-Identifier: GPL-2.0-only
/* What a group's threads have moved to and from memory (Documentation/arch/x86/resctrl.rst, "mon_data"). */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "pinning/resctrl/resctrl.h"

/* That of one cache's domain; -ENODATA: "Unavailable" or "Error", as the kernel says where it can't tell. */
static int domain_read(int folder, const char *domain, uint64_t *bytes)
{
	char path[GROUP_PATH_MAX], text[32], *end;
	int fd;
	ssize_t len;

	if (snprintf(path, sizeof(path), "%s/mbm_total_bytes", domain) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	fd_close(&fd);
	if (len <= 0 || !isdigit((unsigned char)text[0]))
		return -ENODATA;
	text[len] = '\0';
	errno = 0;
	*bytes = strtoull(text, &end, 10);
	return errno || strcmp(end, "\n") != 0 ? -ENODATA : 0;
}

int group_traffic(int root, const char *group, uint64_t *bytes)
{
	char path[GROUP_PATH_MAX];
	const struct dirent *entry;
	unsigned int domains = 0;
	uint64_t one = 0;
	DIR *folder;
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/mon_data", group) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder)
		return fd < 0 ? -errno : -ENOMEM;
	*bytes = 0;
	while (!err && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, "mon_L3_", strlen("mon_L3_")) != 0)
			continue;
		err = domain_read(fd, entry->d_name, &one);
		*bytes += err ? 0 : one;
		domains++;
	}
	closedir(folder);
	return err || domains ? err : -ENODATA;
}
