// SPDX-License-Identifier: GPL-2.0-only
/* An NVMe namespace as the host's block device, before and after it is a VM's: opened so that nobody else has it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "sriov/internal.h"

int namespace_fail(const struct namespace *namespace, int err, const char *what)
{
	return fail(err, "functions: namespace %s: %s: %s", namespace->name, what, strerror(-err));
}

static int namespace_measure(struct namespace *namespace)
{
	uint32_t block = 0;
	int nsid;

	if (ioctl(namespace->fd, BLKGETSIZE64, &namespace->bytes) || ioctl(namespace->fd, BLKSSZGET, &block))
		return namespace_fail(namespace, -errno, "its size");
	nsid = ioctl(namespace->fd, NVME_IOCTL_ID);
	if (nsid <= 0 || !namespace->bytes || !block)
		return namespace_fail(namespace, -ENODEV, "no namespace of NVMe with blocks");
	namespace->nsid = (uint32_t)nsid;
	namespace->block = block;
	return 0;
}

int namespace_open(struct namespace *namespace, const char *address)
{
	char controller[NAMESPACE_NAME], path[64];
	int err;

	*namespace = NAMESPACE_NONE;
	if (controller_name(address, controller) || controller_namespaces(controller, namespace->name) != 1)
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/%s", namespace->name);
	/* O_EXCL: neither mounted, nor a part of it, nor another's (block/bdev.c, bd_prepare_to_claim()) */
	namespace->fd = open(path, O_RDWR | O_EXCL | O_DIRECT | O_CLOEXEC);
	if (namespace->fd < 0 && errno == EBUSY)
		return fail(-EBUSY,
			    "functions: controller: %s (%s): %s is in use: mounted, swapped to, or part of another "
			    "device (lsblk %s says which)",
			    controller, address, path, path);
	if (namespace->fd < 0)
		return fail(-errno, "functions: controller: %s (%s): %s: %s", controller, address, path,
			    strerror(errno));
	err = namespace_measure(namespace);
	if (err)
		namespace_close(namespace);
	return err;
}

int namespace_wait(struct namespace *namespace, const char *address)
{
	int err = -ENODEV;

	for (unsigned int tries = 0; err == -ENODEV && tries < NAMESPACE_SECONDS * 10; tries++) {
		if (tries)
			usleep(100000);
		err = namespace_open(namespace, address);
	}
	return err == -ENODEV ? fail(err, "functions: %s: its namespace isn't there again after %d s", address,
				     NAMESPACE_SECONDS)
			      : err;
}

void namespace_close(struct namespace *namespace)
{
	fd_close(&namespace->fd);
}
