// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X as a guest sees it: PCI Local Bus Specification 3.0, 6.8.2. The real table is the host's; what a guest writes
 * into this one says where KVM delivers the interrupts of its function.
 */
#include "devices/pci.h"

#include <string.h>

#include "devices/device.h"

#define CONTROL		2    /* in the capability, of 16 bits */
#define CONTROL_ENABLE	0x80 /* of its upper byte */
#define CONTROL_MASKALL 0x40
#define ENTRY_SIZE	16
#define ENTRY_MASK	1u

_Static_assert(sizeof(struct pci_vector) == ENTRY_SIZE, "as in the table");

/* While a vector is masked its interrupts wait: in its eventfd, which nobody reads then. */
static void vector_update(struct device *dev, unsigned int nth, unsigned int vector)
{
	const struct pci_bus *bus = dev->host->pci;
	const struct pci_function *function = &bus->functions[nth];
	uint8_t control = function->config[function->msix.cap + CONTROL + 1];
	const struct pci_vector *entry = &bus->vectors[nth][vector];
	int on = (control & CONTROL_ENABLE) && !(control & CONTROL_MASKALL) && !(entry->control & ENTRY_MASK);

	dev->host->vector(dev->host->ctx, function->slot - PCI_SLOT_PASSED, vector, on ? entry : NULL);
}

void pci_msix_config_written(struct device *dev, unsigned int nth)
{
	for (uint32_t i = 0; i < dev->host->pci->functions[nth].msix.vectors; i++)
		vector_update(dev, nth, i);
}

/* Whole words or pairs of them: all else is undefined (6.8.2), and is lost here. */
static int access_is_sound(uint64_t offset, unsigned int len)
{
	return (len == 4 || len == 8) && offset % len == 0;
}

void pci_msix_write(struct device *dev, unsigned int nth, uint64_t offset, const void *data, unsigned int len)
{
	struct pci_vector *entry = &dev->host->pci->vectors[nth][offset / ENTRY_SIZE];

	if (!access_is_sound(offset, len))
		return;
	memcpy((uint8_t *)entry + offset % ENTRY_SIZE, data, len);
	entry->control &= ENTRY_MASK;
	vector_update(dev, nth, (unsigned int)(offset / ENTRY_SIZE));
}

void pci_msix_read(const struct device *dev, unsigned int nth, uint64_t offset, void *data, unsigned int len)
{
	const struct pci_vector *entry = &dev->host->pci->vectors[nth][offset / ENTRY_SIZE];

	if (access_is_sound(offset, len))
		memcpy(data, (const uint8_t *)entry + offset % ENTRY_SIZE, len);
}
