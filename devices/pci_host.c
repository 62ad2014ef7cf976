// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI host bridge and nothing on its bus yet, by configuration mechanism 1: PCI Local Bus Specification 3.0,
 * 3.2.2.3.2 (address register) and 6.1 (header).
 */
#include "devices/device.h"

#include <string.h>

#include "base/util.h"
#include "devices/ports.h"

#define ADDRESS_ENABLE	 0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu
#define ADDRESS_FUNCTION 0x00ffff00u /* bus, device, function */

struct pci_host {
	uint32_t address;
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

/* One byte of the function that the address register selects; ones where there is none. */
static uint8_t pci_config_byte(const struct pci_host *pci, unsigned int lane)
{
	unsigned int reg = (pci->address & 0xfc) + lane;

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
			bytes[i] = pci_config_byte(pci, (unsigned int)(offset + i) & 3);
}

/* The bridge has no register that can be written; what is written to the data port is lost. */
static void pci_host_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct pci_host *pci = dev->state;

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
