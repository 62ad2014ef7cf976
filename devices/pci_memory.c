// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory window of the PCI host bridge, as far as nothing is mapped there: the functions' MSI-X tables, and what
 * shows their pending interrupts.
 */
#include <string.h>

#include "base/util.h"
#include "devices/device.h"
#include "devices/pci.h"
#include "devices/ports.h"

/* The function whose table [@gpa, @gpa + @len) is part of, or -1; *@offset is its place there. */
static int table_find(const struct pci_bus *bus, uint64_t gpa, unsigned int len, uint64_t *offset)
{
	for (uint32_t i = 0; i < bus->count; i++) {
		const struct pci_msix *msix = &bus->functions[i].msix;

		*offset = gpa - msix->table;
		if (msix->cap && gpa >= msix->table &&
		    range_fits(*offset, len, msix->vectors * sizeof(struct pci_vector)))
			return (int)i;
	}
	return -1;
}

/* Pending bits are of no use to a guest while its table says where interrupts go: they read as none. */
static int is_pba(const struct pci_bus *bus, uint64_t gpa, unsigned int len)
{
	for (uint32_t i = 0; i < bus->count; i++) {
		const struct pci_msix *msix = &bus->functions[i].msix;

		if (msix->cap && gpa >= msix->pba && range_fits(gpa - msix->pba, len, sizeof(uint64_t)))
			return 1;
	}
	return 0;
}

static void pci_memory_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	uint64_t in_table;
	int nth = table_find(dev->host->pci, PCI_WINDOW_BASE + offset, len, &in_table);

	if (nth >= 0)
		pci_msix_read(dev, (unsigned int)nth, in_table, data, len);
	else if (is_pba(dev->host->pci, PCI_WINDOW_BASE + offset, len))
		memset(data, 0, len);
}

static void pci_memory_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	uint64_t in_table;
	int nth = table_find(dev->host->pci, PCI_WINDOW_BASE + offset, len, &in_table);

	if (nth >= 0)
		pci_msix_write(dev, (unsigned int)nth, in_table, data, len);
}

const struct boot_device pci_memory_device = {
	.name = "pci-memory",
	.space = SPACE_MMIO,
	.base = PCI_WINDOW_BASE,
	.size = PCI_WINDOW_SIZE,
	.read = pci_memory_read,
	.write = pci_memory_write,
};
