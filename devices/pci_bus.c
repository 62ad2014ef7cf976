// SPDX-License-Identifier: GPL-2.0-only
/* The functions that a guest finds: those that are always the same, and whether another one's table is sound. */
#include "devices/pci.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "devices/ports.h"
#include "rings/rings.h"

#define PAGE_SIZE KIB(4)

/*
 * 00:00.0: PCI Local Bus Specification 3.0, 6.1. The ids are those that QEMU's bridge of the same kind has: no stock
 * kernel has a quirk for them.
 */
static const struct pci_function bridge = {
	.slot = 0, .config = { 0x36, 0x1b, 0x08, 0x00, [0x0b] = 0x06 }, /* vendor, device; class: host bridge */
};

#define BYTES4(n) (n) & 0xff, (n) >> 8 & 0xff, (n) >> 16 & 0xff, (n) >> 24 & 0xff

/*
 * 00:01.0: whose only BAR is the rings' memory, 64-bit and prefetchable (6.2.5.1). Its class is "does not fit in any
 * defined classes": no driver goes by it.
 */
static const struct pci_function rings = {
	.slot = 1,
	.config = { BYTES4(RINGS_PCI_DEVICE << 16 | RINGS_PCI_VENDOR), [0x0b] = 0xff, [0x10] = BYTES4(RINGS_BASE | 0xc),
		    [0x2c] = BYTES4(RINGS_PCI_DEVICE << 16 | RINGS_PCI_VENDOR) },
	.writable = { [0x04] = 0x02, [0x10] = BYTES4(~(RINGS_SIZE - 1u)), BYTES4(0xffffffffu) },
};

void pci_bus_add(struct pci_bus *bus, const struct pci_function *function)
{
	if (bus->count == PCI_FUNCTIONS_MAX)
		return;
	for (unsigned int i = 0; i < PCI_VECTORS_MAX; i++)
		bus->vectors[bus->count][i] = (struct pci_vector){ .control = 1 }; /* masked, as after a reset */
	bus->functions[bus->count++] = *function;
}

void pci_bus_init(struct pci_bus *bus, int with_rings)
{
	*bus = (struct pci_bus){ 0 };
	pci_bus_add(bus, &bridge);
	if (with_rings)
		pci_bus_add(bus, &rings);
}

/* In the bridge's memory window, below the rings. */
static int range_check(uint64_t gpa, uint64_t size, uint64_t align)
{
	if (gpa < PCI_WINDOW_BASE || !range_fits(gpa - PCI_WINDOW_BASE, size, RINGS_BASE - PCI_WINDOW_BASE))
		return -EPROTO;
	return size == 0 || gpa % align || size % align ? -EPROTO : 0;
}

static int msix_check(const struct pci_msix *msix)
{
	if (msix->cap < 0x40 || msix->cap > PCI_CONFIG_SIZE - 12 || msix->cap % 4)
		return -EPROTO;
	if (msix->vectors == 0 || msix->vectors > PCI_VECTORS_MAX)
		return -EPROTO;
	return range_check(msix->table, (uint64_t)msix->vectors * 16, 8) || range_check(msix->pba, 8, 8) ? -EPROTO : 0;
}

int pci_function_check(const struct pci_function *function)
{
	if (function->slot < PCI_SLOT_PASSED || function->slot >= PCI_SLOT_PASSED + PCI_PASSED_MAX)
		return -EPROTO;
	if (function->nwindows > PCI_WINDOWS_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < function->nwindows; i++) {
		const struct pci_window *window = &function->windows[i];

		if (range_check(window->gpa, window->size, PAGE_SIZE) || window->offset % PAGE_SIZE)
			return -EPROTO;
	}
	return msix_check(&function->msix);
}
