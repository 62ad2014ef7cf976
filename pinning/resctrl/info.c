// SPDX-License-Identifier: GPL-2.0-only
/* Where resctrl is mounted, and what its info folder says. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "pinning/resctrl/internal.h"

#define VALUE_MAX 64 /* bytes of a file of one number */

int resctrl_read(int root, const char *path, char *text, size_t size)
{
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t used = 0;
	ssize_t len = 1;

	if (fd < 0)
		return -errno;
	while (len > 0 && used < size) {
		len = read(fd, text + used, size - used);
		if (len < 0)
			len = -errno;
		else
			used += (size_t)len;
	}
	fd_close(&fd);
	if (len < 0)
		return (int)len;
	if (used == size)
		return -E2BIG;
	text[used] = '\0';
	return memchr(text, '\0', used) ? -EINVAL : (int)used;
}

/* A file that is one number and a newline. */
static int number_file(int root, const char *folder, const char *name, int base, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	char path[64], text[VALUE_MAX] = "";
	size_t len;
	int err;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	err = resctrl_read(root, path, text, sizeof(text));
	if (err < 0)
		return err;
	for (len = 0; text[len] && memchr(digits, text[len], (size_t)base); len++)
		;
	if (!len || strcmp(text + len, "\n") != 0)
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, NULL, base);
	return -errno;
}

int cache_info_read(int root, const char *name, struct cache_info *info)
{
	uint64_t min_bits = 0, closids = 0, sparse = 0;
	char folder[32];
	int err;

	memset(info, 0, sizeof(*info));
	snprintf(folder, sizeof(folder), "info/%s", name);
	err = number_file(root, folder, "cbm_mask", 16, &info->cbm_mask);
	if (!err)
		err = number_file(root, folder, "min_cbm_bits", 10, &min_bits);
	if (!err)
		err = number_file(root, folder, "shareable_bits", 16, &info->shareable);
	if (!err)
		err = number_file(root, folder, "num_closids", 10, &closids);
	if (err)
		return err;
	/* since Linux 6.7; before, none were taken */
	err = number_file(root, folder, "sparse_masks", 10, &sparse);
	if (err && err != -ENOENT)
		return err;
	if (!info->cbm_mask || min_bits > SHARE_WAYS_MAX || closids > UINT_MAX)
		return -EINVAL;
	info->min_bits = (unsigned int)min_bits;
	info->closids = (unsigned int)closids;
	info->sparse = sparse == 1;
	return 0;
}

/* Intel's least is never 0, AMD's is always (arch/x86/kernel/cpu/resctrl/core.c): of it no file says what it counts. */
int bandwidth_info_read(int root, struct bandwidth_info *info)
{
	uint64_t min = 0, gran = 0, closids = 0;
	int err = number_file(root, "info/MB", "min_bandwidth", 10, &min);

	if (!err)
		err = number_file(root, "info/MB", "bandwidth_gran", 10, &gran);
	if (!err)
		err = number_file(root, "info/MB", "num_closids", 10, &closids);
	if (err)
		return err;
	if (min > 100 || gran > 100 || closids > UINT_MAX)
		return -EINVAL;
	info->eighths = !info->mbps && min == 0;
	info->min = (unsigned int)min;
	info->gran = (unsigned int)gran;
	info->closids = (unsigned int)closids;
	return 0;
}

/* @option among "rw,nosuid,mba_MBps" */
static bool has_option(const char *options, const char *option)
{
	size_t len = strlen(option);

	for (const char *at = options; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, option, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

/* Blanks in a path are octal there (fs/proc_namespace.c, mangle()): such a mount is not ours to guess at. */
int resctrl_find(const char *mounts, struct resctrl_mount *mount)
{
	while (*mounts) {
		char path[RESCTRL_PATH_MAX], type[32], options[512];
		size_t len = strcspn(mounts, "\n");
		int fields = sscanf(mounts, "%*s %255s %31s %511s", path, type, options);

		if (fields == 3 && strcmp(type, "resctrl") == 0 && *path == '/' && !strchr(path, '\\')) {
			memcpy(mount->path, path, sizeof(path));
			mount->mbps = has_option(options, "mba_MBps");
			return 0;
		}
		mounts += len + (mounts[len] == '\n');
	}
	return -ENOENT;
}

int level_info_read(int root, const struct cache_level *level, struct cache_info *info)
{
	char name[SCHEMATA_NAME_MAX];
	int err = -ENOENT;

	for (size_t i = 0; err == -ENOENT && i < CACHE_HALVES; i++) {
		snprintf(name, sizeof(name), "%s%s", level->line, cache_halves[i]);
		err = cache_info_read(root, name, info);
	}
	return err;
}
