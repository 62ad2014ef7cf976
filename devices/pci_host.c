// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI host bridge, and on its bus the function that has the rings, if there are any; by configuration mechanism 1:
 * PCI Local Bus Specification 3.0, 3.2.2.3.2 (address register) and 6.1 (header).
 */
#include "devices/device.h"

#include <string.h>

#include "base/util.h"
#include "devices/ports.h"
#include "rings/rings.h"

#define ADDRESS_ENABLE	 0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu
#define ADDRESS_FUNCTION 0x00ffff00u /* bus, device, function */

struct pci_host {
	uint32_t address;
	uint32_t command;  /* of 00:01.0, as is the next */
	uint8_t sizing[2]; /* this half of its BAR was asked for its size */
};

/* 00:00.0. The ids are those that QEMU's bridge of the same kind has: no stock kernel has a quirk for them. */
static const uint8_t bridge_header[] = {
	0x36, 0x1b,	  /* vendor */
	0x08, 0x00,	  /* device */
	0x00, 0x00,	  /* command */
	0x00, 0x00,	  /* status */
	0x00,		  /* revision */
	0x00, 0x00, 0x06, /* class: host bridge */
};

#define HEADER_SIZE 256

/* 00:01.0: whose only BAR is the rings' memory. PCI Local Bus Specification 3.0, 6.2.5.1: BARs. */
#define RINGS_FUNCTION	  (1u << 11)
#define REG_COMMAND	  0x04
#define REG_BAR0	  0x10
#define REG_BAR1	  0x14
#define REG_SUBSYSTEM	  0x2c
#define COMMAND_MEMORY	  0x0002u
#define CLASS_OTHER	  0xff000000u /* "device does not fit in any defined classes": no driver goes by it */
#define BAR_64_PREFETCH	  0x0000000cu
#define BAR_SIZING	  0xffffffffu /* what is written to ask for the size */
#define BAR_READS(sizing) ((sizing) ? (uint32_t) ~(RINGS_SIZE - 1) : RINGS_BASE)

/* A register of it. The BAR says where the memory is, which a guest can't change: whatever it writes, but to size it.
 */
static uint32_t rings_register(const struct pci_host *pci, unsigned int reg)
{
	switch (reg) {
	case 0x00:
	case REG_SUBSYSTEM:
		return RINGS_PCI_DEVICE << 16 | RINGS_PCI_VENDOR;
	case REG_COMMAND:
		return pci->command;
	case 0x08:
		return CLASS_OTHER;
	case REG_BAR0:
		return BAR_READS(pci->sizing[0]) | BAR_64_PREFETCH;
	case REG_BAR1:
		return pci->sizing[1] ? BAR_SIZING : 0;
	default:
		return 0;
	}
}

static void rings_register_write(struct pci_host *pci, uint32_t value)
{
	unsigned int reg = pci->address & 0xfc;

	if (reg == REG_COMMAND)
		pci->command = value & COMMAND_MEMORY;
	if (reg == REG_BAR0 || reg == REG_BAR1)
		pci->sizing[reg == REG_BAR1] = value == BAR_SIZING;
}

static int rings_selected(const struct device *dev)
{
	const struct pci_host *pci = dev->state;

	return dev->host->rings && (pci->address & ADDRESS_ENABLE) &&
	       (pci->address & ADDRESS_FUNCTION) == RINGS_FUNCTION;
}

/* One byte of the function that the address register selects; ones where there is none. */
static uint8_t pci_config_byte(const struct device *dev, unsigned int lane)
{
	const struct pci_host *pci = dev->state;
	unsigned int reg = (pci->address & 0xfc) + lane;

	if (rings_selected(dev))
		return (uint8_t)(rings_register(pci, reg & ~3u) >> 8 * (reg & 3));
	if (!(pci->address & ADDRESS_ENABLE) || (pci->address & ADDRESS_FUNCTION) || reg >= HEADER_SIZE)
		return 0xff;
	return reg < sizeof(bridge_header) ? bridge_header[reg] : 0;
}

static void pci_host_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	const struct pci_host *pci = dev->state;
	uint8_t *bytes = data;

	if (offset == 0 && len == sizeof(pci->address)) {
		memcpy(data, &pci->address, sizeof(pci->address));
		return;
	}
	for (unsigned int i = 0; i < len; i++)
		if (offset + i >= PORT_PCI_DATA - PORT_PCI_ADDRESS)
			bytes[i] = pci_config_byte(dev, (unsigned int)(offset + i) & 3);
}

/* The bridge has no register that can be written. Of the rings' function, a register's lower half will do. */
static void pci_host_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct pci_host *pci = dev->state;
	uint32_t value = 0;

	if (offset == PORT_PCI_DATA - PORT_PCI_ADDRESS && len <= sizeof(value) && rings_selected(dev)) {
		memcpy(&value, data, len);
		rings_register_write(pci, value);
	}
	if (offset != 0 || len != sizeof(pci->address))
		return;
	memcpy(&pci->address, data, sizeof(pci->address));
	pci->address &= ADDRESS_WRITABLE;
}

const struct boot_device pci_host_device = {
	.name = "pci-host",
	.space = SPACE_PIO,
	.base = PORT_PCI_ADDRESS,
	.size = 8,
	.state_size = sizeof(struct pci_host),
	.read = pci_host_read,
	.write = pci_host_write,
};
