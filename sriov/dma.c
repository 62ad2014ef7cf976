// SPDX-License-Identifier: GPL-2.0-only
/* What a function may do while the VM runs: write into the VM's memory, and interrupt it. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

/* The pages are held from here on (drivers/vfio/vfio_iommu_type1.c, vfio_pin_map_dma()), whoever has them mapped. */
static int range_map(const struct functions *functions, const struct memory *mem, const struct memory_range *range)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uint64_t)(uintptr_t)(mem->host + range->offset),
		.iova = range->gpa,
		.size = range->size,
	};

	if (!ioctl(functions->container_fd, VFIO_IOMMU_MAP_DMA, &map))
		return 0;
	if (errno == ENOMEM)
		return fail(-ENOMEM,
			    "functions: DMA of %llu MiB of memory: more than may be locked: wanted a higher "
			    "RLIMIT_MEMLOCK (ulimit -l; LimitMEMLOCK= of a service)",
			    (unsigned long long)(range->size >> 20));
	return fail(-errno, "functions: DMA of memory at 0x%llx: %s", (unsigned long long)range->gpa, strerror(errno));
}

static void ranges_unmap(struct functions *functions, const struct memory_layout *layout)
{
	for (uint32_t i = 0; i < layout->count; i++) {
		struct vfio_iommu_type1_dma_unmap unmap = { .argsz = sizeof(unmap),
							    .iova = layout->ranges[i].gpa,
							    .size = layout->ranges[i].size };

		if (i < functions->ndma && ioctl(functions->container_fd, VFIO_IOMMU_UNMAP_DMA, &unmap))
			fail(-errno, "functions: DMA to be taken back: %s", strerror(errno));
	}
	functions->ndma = 0;
}

static int irqs_set(const struct function *function, uint32_t index, const int *fds, uint32_t count)
{
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + PCI_VECTORS_MAX * sizeof(int32_t)];
	} room = { .set = { .argsz = (uint32_t)(sizeof(room.set) + count * sizeof(int32_t)),
			    .flags = (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE) |
				     VFIO_IRQ_SET_ACTION_TRIGGER,
			    .index = index,
			    .count = count } };

	if (count)
		memcpy(room.bytes + offsetof(struct vfio_irq_set, data), fds, count * sizeof(int32_t));
	return ioctl(function->device_fd, VFIO_DEVICE_SET_IRQS, &room.set) ? -errno : 0;
}

/* All vectors at once, and for good: masking is between the guest's table and KVM. */
static int irqs_start(const struct function *function)
{
	int err = irqs_set(function, VFIO_PCI_MSIX_IRQ_INDEX, function->eventfds, function->table.msix.vectors);

	if (!err)
		err = irqs_set(function, VFIO_PCI_REQ_IRQ_INDEX, &function->request_fd, 1);
	if (err)
		return fail(err, "functions: %s: its interrupts: %s", function->address, strerror(-err));
	irqs_set(function, VFIO_PCI_ERR_IRQ_INDEX, &function->error_fd, 1); /* not all have errors to tell */
	return 0;
}

/* The command register's two bits: it takes accesses to its registers, and does DMA. */
static int command_set(struct function *function, bool on)
{
	struct vfio_region_info config = { .argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX };
	uint16_t command = 0;
	off_t at;

	if (ioctl(function->device_fd, VFIO_DEVICE_GET_REGION_INFO, &config))
		return -errno;
	at = (off_t)config.offset + PCI_COMMAND;
	if (pread(function->device_fd, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	command &= (uint16_t)~PCI_COMMAND_MASTER;
	command |= on ? PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY : 0;
	if (pwrite(function->device_fd, &command, sizeof(command), at) != sizeof(command) ||
	    pread(function->device_fd, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	if (!(command & PCI_COMMAND_MASTER) == on)
		return -EIO;
	function->master = on;
	return 0;
}

int functions_start(struct functions *functions, const struct memory *mem)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < mem->layout.count; i++) {
		err = range_map(functions, mem, &mem->layout.ranges[i]);
		functions->ndma += !err;
	}
	for (unsigned int i = 0; !err && i < functions->count; i++) {
		struct function *function = &functions->list[i];

		err = irqs_start(function);
		if (!err) {
			err = command_set(function, true);
			if (err)
				fail(err, "functions: %s: bus mastering on: %s", function->address, strerror(-err));
		}
	}
	if (err)
		functions_quiet(functions, &mem->layout);
	return err;
}

/* Each step for all functions before the next: none may write when the memory is cleared. */
void functions_quiet(struct functions *functions, const struct memory_layout *layout)
{
	for (unsigned int i = 0; i < functions->count; i++) {
		struct function *function = &functions->list[i];
		int err = function->master ? command_set(function, false) : 0;

		if (err)
			fail(err, "functions: %s: bus mastering off: %s", function->address, strerror(-err));
	}
	for (unsigned int i = 0; i < functions->count; i++) {
		struct function *function = &functions->list[i];

		if (function->device_fd >= 0 && ioctl(function->device_fd, VFIO_DEVICE_RESET))
			fail(-errno, "functions: %s: reset: %s", function->address, strerror(errno));
		if (function->device_fd >= 0)
			irqs_set(function, VFIO_PCI_MSIX_IRQ_INDEX, NULL, 0);
	}
	ranges_unmap(functions, layout);
}

uint64_t functions_mapped(const struct functions *functions)
{
	uint64_t size = 0;

	for (unsigned int i = 0; i < functions->count; i++)
		for (uint32_t w = 0; w < functions->list[i].table.nwindows; w++)
			size += functions->list[i].table.windows[w].size;
	return size;
}
