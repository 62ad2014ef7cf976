// SPDX-License-Identifier: GPL-2.0-only
/* The file system itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"
#include "pinning/resctrl/internal.h"

#define MOUNTS_MAX    MIB(1)
#define RESCTRL_MAGIC 0x7655821 /* include/uapi/linux/magic.h, RDTGROUP_SUPER_MAGIC */

static int mount_read(const char *host, struct resctrl_mount *mount)
{
	char path[RESCTRL_PATH_MAX], *text = malloc(MOUNTS_MAX);
	int err;

	if (!text)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/proc/self/mounts", host);
	err = resctrl_read(AT_FDCWD, path, text, MOUNTS_MAX);
	if (err >= 0)
		err = resctrl_find(text, mount);
	free(text);
	return err;
}

int resctrl_open(const char *host, bool *mbps, bool *simulated)
{
	struct resctrl_mount mount;
	struct statfs fs;
	int err = mount_read(host, &mount), root;

	if (err)
		return err;
	root = open(mount.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	if (mbps)
		*mbps = mount.mbps;
	if (simulated)
		*simulated = fstatfs(root, &fs) || fs.f_type != RESCTRL_MAGIC;
	return root;
}

/* The kernel makes the folder if the processor has any of it (fs/resctrl: sysfs_create_mount_point). */
bool resctrl_is_had(const char *host)
{
	char path[RESCTRL_PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/fs/resctrl", host);
	return !access(path, F_OK);
}
