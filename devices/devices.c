// SPDX-License-Identifier: GPL-2.0-only
#include "devices/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

extern const struct boot_device absent_keyboard_device, absent_pit_device, cmos_device, ioapic_device, pci_host_device,
	pci_memory_device, panic_port_device, power_off_port_device, reboot_port_device, seal_port_device,
	serial_device;

/* All that a guest can reach but its memory and its own local APIC. */
static const struct boot_device *const boot_devices[] = {
	&serial_device,		 /* 0x3f8-0x3ff */
	&absent_pit_device,	 /* 0x40-0x43 */
	&absent_keyboard_device, /* 0x64 */
	&cmos_device,		 /* 0x70-0x71 */
	&seal_port_device,	 /* 0x600 */
	&power_off_port_device,	 /* 0x604-0x605 */
	&reboot_port_device,	 /* 0x608 */
	&panic_port_device,	 /* 0x60c */
	&pci_host_device,	 /* 0xcf8-0xcff */
	&pci_memory_device,	 /* 0xc0000000-0xfebfffff, where nothing is mapped */
	&ioapic_device,		 /* 0xfec00000-0xfec00fff */
};

_Static_assert(ARRAY_SIZE(boot_devices) <= DEVICES_MAX, "DEVICES_MAX is too small");

int devices_create(struct devices *devices, const struct device_host *host)
{
	memset(devices, 0, sizeof(*devices));
	for (size_t i = 0; i < ARRAY_SIZE(boot_devices); i++) {
		struct device *dev = &devices->list[i];

		dev->ops = boot_devices[i];
		dev->host = host;
		if (dev->ops->state_size) {
			dev->state = calloc(1, dev->ops->state_size);
			if (!dev->state)
				return -ENOMEM;
		}
		devices->count++;
	}
	return 0;
}

static struct device *device_find(struct devices *devices, enum device_space space, uint64_t address, unsigned int len)
{
	for (unsigned int i = 0; i < devices->count; i++) {
		const struct boot_device *ops = devices->list[i].ops;

		if (ops->space == space && address >= ops->base && range_fits(address - ops->base, len, ops->size))
			return &devices->list[i];
	}
	return NULL;
}

void devices_read(struct devices *devices, enum device_space space, uint64_t address, void *data, unsigned int len)
{
	struct device *dev = device_find(devices, space, address, len);

	memset(data, 0xff, len);
	if (dev && dev->ops->read)
		dev->ops->read(dev, address - dev->ops->base, data, len);
}

void devices_write(struct devices *devices, enum device_space space, uint64_t address, const void *data,
		   unsigned int len)
{
	struct device *dev = device_find(devices, space, address, len);

	if (dev && dev->ops->write)
		dev->ops->write(dev, address - dev->ops->base, data, len);
}

size_t devices_input(struct devices *devices, const void *bytes, size_t len)
{
	for (unsigned int i = 0; i < devices->count; i++) {
		struct device *dev = &devices->list[i];

		if (dev->ops->input)
			return dev->ops->input(dev, bytes, len);
	}
	return len;
}

void devices_irq(struct devices *devices, unsigned int gsi)
{
	for (unsigned int i = 0; i < devices->count; i++) {
		struct device *dev = &devices->list[i];

		if (dev->ops->irq)
			dev->ops->irq(dev, gsi);
	}
}
