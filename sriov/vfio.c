// SPDX-License-Identifier: GPL-2.0-only
/* The functions as VFIO gives them: Documentation/driver-api/vfio.rst, linux/vfio.h. Container and groups, type 1 v2.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "devices/ports.h"
#include "sriov/internal.h"

static int container_open(struct functions *functions)
{
	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return fail(-errno, "functions: /dev/vfio/vfio: %s", strerror(errno));
	functions->container_fd = fd;
	if (ioctl(fd, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		return fail(-ENOTSUP, "functions: this kernel's VFIO has no type 1 v2 IOMMU: wanted "
				      "vfio_iommu_type1 loaded");
	return 0;
}

static int group_fail(const struct function *function, int err)
{
	if (err == -EBUSY)
		return fail(err, "functions: %s: /dev/vfio/%u: busy: another program has it open", function->address,
			    function->group);
	return fail(err, "functions: %s: /dev/vfio/%u: %s", function->address, function->group, strerror(-err));
}

/* A group can be opened once; two functions of one group share the fd. */
static int group_open(struct functions *functions, struct function *function)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	long long number;
	char text[SYSFS_TEXT], path[32];

	if (sysfs_link(text, PCI_DEVICES "%s/iommu_group", function->address) || sscanf(text, "%lld", &number) != 1)
		return fail(-ENODEV, "functions: %s: it has no IOMMU group", function->address);
	function->group = (unsigned int)number;
	for (struct function *other = functions->list; other < function; other++)
		if (other->group == function->group) {
			function->group_fd = fcntl(other->group_fd, F_DUPFD_CLOEXEC, 0);
			return function->group_fd < 0 ? -errno : 0;
		}
	snprintf(path, sizeof(path), "/dev/vfio/%u", function->group);
	function->group_fd = open(path, O_RDWR | O_CLOEXEC);
	if (function->group_fd < 0)
		return group_fail(function, -errno);
	if (ioctl(function->group_fd, VFIO_GROUP_GET_STATUS, &status))
		return group_fail(function, -errno);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fail(-EBUSY, "functions: %s: its IOMMU group %u isn't whole: something in it has a host driver",
			    function->address, function->group);
	if (ioctl(function->group_fd, VFIO_GROUP_SET_CONTAINER, &functions->container_fd))
		return group_fail(function, -errno);
	return 0;
}

static int iommu_set(const struct functions *functions)
{
	if (!ioctl(functions->container_fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return 0;
	if (errno == EPERM)
		return fail(-EPERM,
			    "functions: this host doesn't remap interrupts, so that a device could raise any of them: "
			    "wanted interrupt remapping on in the firmware, and intremap=off not on the kernel's "
			    "command line");
	return fail(-errno, "functions: VFIO_SET_IOMMU: %s", strerror(errno));
}

static int device_open(struct function *function)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	function->device_fd = ioctl(function->group_fd, VFIO_GROUP_GET_DEVICE_FD, function->address);
	if (function->device_fd < 0)
		return fail(-errno, "functions: %s: VFIO_GROUP_GET_DEVICE_FD: %s", function->address, strerror(errno));
	fcntl(function->device_fd, F_SETFD, FD_CLOEXEC);
	if (ioctl(function->device_fd, VFIO_DEVICE_GET_INFO, &info))
		return fail(-errno, "functions: %s: VFIO_DEVICE_GET_INFO: %s", function->address, strerror(errno));
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI) || !(info.flags & VFIO_DEVICE_FLAGS_RESET) ||
	    info.num_regions <= VFIO_PCI_CONFIG_REGION_INDEX || info.num_irqs <= VFIO_PCI_REQ_IRQ_INDEX)
		return fail(-ENOTSUP, "functions: %s: no PCI function that VFIO can reset", function->address);
	/* what its last user left in it is none of the VM's */
	if (ioctl(function->device_fd, VFIO_DEVICE_RESET))
		return fail(-errno, "functions: %s: reset: %s", function->address, strerror(errno));
	return 0;
}

static int region_get(const struct function *function, uint32_t index, struct vfio_region_info *region)
{
	*region = (struct vfio_region_info){ .argsz = sizeof(*region), .index = index };
	if (ioctl(function->device_fd, VFIO_DEVICE_GET_REGION_INFO, region))
		return fail(-errno, "functions: %s: region %u: %s", function->address, index, strerror(errno));
	return 0;
}

static int space_read(const struct function *function, struct function_space *space)
{
	struct vfio_irq_info irqs = { .argsz = sizeof(irqs), .index = VFIO_PCI_MSIX_IRQ_INDEX };
	struct vfio_region_info region;
	int err = 0;

	*space = (struct function_space){ 0 };
	for (uint32_t i = 0; !err && i < FUNCTION_BARS; i++) {
		err = region_get(function, VFIO_PCI_BAR0_REGION_INDEX + i, &region);
		if (err)
			break;
		space->sizes[i] = region.size;
		space->offsets[i] = region.offset;
		if (region.flags & VFIO_REGION_INFO_FLAG_MMAP)
			space->mappable |= 1u << i;
	}
	if (!err)
		err = region_get(function, VFIO_PCI_CONFIG_REGION_INDEX, &region);
	if (err)
		return err;
	if (pread(function->device_fd, space->config, PCI_CONFIG_SIZE, (off_t)region.offset) != PCI_CONFIG_SIZE)
		return fail(-EIO, "functions: %s: its configuration space can't be read", function->address);
	if (ioctl(function->device_fd, VFIO_DEVICE_GET_IRQ_INFO, &irqs))
		return fail(-errno, "functions: %s: VFIO_DEVICE_GET_IRQ_INFO: %s", function->address, strerror(errno));
	space->vectors = irqs.flags & VFIO_IRQ_INFO_EVENTFD ? irqs.count : 0;
	return 0;
}

static int function_shape(struct function *function, unsigned int nth, uint64_t *next)
{
	struct function_space space;
	struct function_shape shape;
	const char *what;
	int err = space_read(function, &space);

	if (err)
		return err;
	err = space_shape(&space, &shape, &what);
	if (err)
		return fail(err, "functions: %s: %s", function->address, what);
	err = space_place(&space, &shape, next);
	if (err == -ENOSPC)
		return fail(err, "functions: %s: its BARs don't fit into the %u MiB that a guest has for all",
			    function->address, (unsigned int)((RINGS_BASE - PCI_WINDOW_BASE) >> 20));
	if (err)
		return fail(err, "functions: %s: its registers can't be mapped, and each access would be an exit",
			    function->address);
	function->table = shape.table;
	function->table.slot = PCI_SLOT_PASSED + nth;
	return 0;
}

static int eventfds_make(struct function *function)
{
	for (uint32_t i = 0; i < function->table.msix.vectors; i++) {
		function->eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (function->eventfds[i] < 0)
			return fail(-errno, "functions: %s: eventfd: %s", function->address, strerror(errno));
	}
	function->request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	function->error_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (function->request_fd < 0 || function->error_fd < 0)
		return fail(-errno, "functions: %s: eventfd: %s", function->address, strerror(errno));
	return 0;
}

int vfio_open(struct functions *functions)
{
	uint64_t next = PCI_WINDOW_BASE;
	int err = container_open(functions);

	for (unsigned int i = 0; !err && i < functions->count; i++) {
		err = group_open(functions, &functions->list[i]);
		if (!err && i == 0)
			err = iommu_set(functions);
	}
	for (unsigned int i = 0; !err && i < functions->count; i++) {
		err = device_open(&functions->list[i]);
		if (!err)
			err = function_shape(&functions->list[i], i, &next);
		if (!err)
			err = eventfds_make(&functions->list[i]);
	}
	return err;
}

void vfio_close(struct functions *functions)
{
	for (unsigned int i = 0; i < functions->count; i++) {
		struct function *function = &functions->list[i];

		for (unsigned int n = 0; n < PCI_VECTORS_MAX; n++)
			fd_close(&function->eventfds[n]);
		fd_close(&function->request_fd);
		fd_close(&function->error_fd);
		fd_close(&function->device_fd);
		fd_close(&function->group_fd);
	}
	fd_close(&functions->container_fd);
}
