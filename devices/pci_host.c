// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI host bridge's way to configuration space, mechanism 1: PCI Local Bus Specification 3.0, 3.2.2.3.2. An access is
 * answered by the tables of devices/pci.h.
 */
#include "devices/device.h"

#include <string.h>

#include "devices/pci.h"
#include "devices/ports.h"

#define ADDRESS_ENABLE	 0x80000000u
#define ADDRESS_WRITABLE 0x80fffffcu
#define ADDRESS_FUNCTION 0x00ffff00u /* bus, device, function */
#define ADDRESS_SLOT(n)	 ((uint32_t)(n) << 11)

struct pci_host {
	uint32_t address;
};

/* The function that the address register selects, or -1. */
static int function_selected(const struct device *dev)
{
	const struct pci_host *host = dev->state;
	const struct pci_bus *bus = dev->host->pci;

	for (uint32_t i = 0; host->address & ADDRESS_ENABLE && i < bus->count; i++)
		if ((host->address & ADDRESS_FUNCTION) == ADDRESS_SLOT(bus->functions[i].slot))
			return (int)i;
	return -1;
}

/* The byte of configuration space at @offset of our ports. */
static unsigned int register_at(const struct device *dev, uint64_t offset)
{
	const struct pci_host *host = dev->state;

	return (host->address & 0xfc) + (unsigned int)(offset & 3);
}

static void pci_host_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	const struct pci_host *host = dev->state;
	int nth = function_selected(dev);
	uint8_t *bytes = data;

	if (offset == 0 && len == sizeof(host->address)) {
		memcpy(data, &host->address, sizeof(host->address));
		return;
	}
	for (unsigned int i = 0; i < len && nth >= 0; i++)
		if (offset + i >= PORT_PCI_DATA - PORT_PCI_ADDRESS)
			bytes[i] = dev->host->pci->functions[nth].config[register_at(dev, offset + i)];
}

static void config_write(struct device *dev, unsigned int nth, uint64_t offset, const uint8_t *bytes, unsigned int len)
{
	struct pci_function *function = &dev->host->pci->functions[nth];
	unsigned int first = register_at(dev, offset), msix = function->msix.cap;

	for (unsigned int i = 0; i < len; i++) {
		uint8_t writable = function->writable[first + i], *byte = &function->config[first + i];

		*byte = (uint8_t)((*byte & ~writable) | (bytes[i] & writable));
	}
	if (msix && (first & ~3u) == msix)
		pci_msix_config_written(dev, nth);
}

/* Of data that begins in the address register nothing is written, nor of an address in parts. */
static void pci_host_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct pci_host *host = dev->state;
	int nth = function_selected(dev);

	if (offset >= PORT_PCI_DATA - PORT_PCI_ADDRESS && nth >= 0)
		config_write(dev, (unsigned int)nth, offset, data, len);
	if (offset != 0 || len != sizeof(host->address))
		return;
	memcpy(&host->address, data, sizeof(host->address));
	host->address &= ADDRESS_WRITABLE;
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
