/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include <stddef.h>
#include <stdint.h>

/*
 * PCI functions on bus 0, each a table: what its configuration space has, which bits of it a guest may write, where its
 * registers are mapped, where its MSI-X table lies. Who has the function (the supervisor) makes the table before the
 * guest runs; an access is answered by looking into it. Nothing that is written here reaches a device.
 *
 * A guest learns a BAR's size and place by the writable bits. The place is chosen before the guest runs and the
 * registers stay there: a guest that writes another one has lost them, and harms nobody else.
 */
#define PCI_CONFIG_SIZE	  256
#define PCI_PASSED_MAX	  4		       /* functions of the host's */
#define PCI_FUNCTIONS_MAX (2 + PCI_PASSED_MAX) /* and the host bridge and the rings' */
#define PCI_SLOT_PASSED	  2		       /* the first of the host's is 00:02.0 */
#define PCI_VECTORS_MAX	  32		       /* of one function: more are not shown */
#define PCI_WINDOWS_MAX	  12

/* Registers that are mapped into the guest: [gpa, gpa + size), whole pages, from @offset on of the device's fd. */
struct pci_window {
	uint64_t gpa;
	uint64_t size;
	uint64_t offset;
};

/* PCI Local Bus Specification 3.0, 6.8.2. Table and PBA are not mapped. */
struct pci_msix {
	uint32_t cap;	  /* the capability's place in configuration space; 0: there is none */
	uint32_t vectors; /* entries of the table */
	uint64_t table;	  /* guest-physical address */
	uint64_t pba;
};

struct pci_function {
	uint32_t slot; /* 00:SLOT.0 */
	uint32_t nwindows;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE]; /* bits */
	struct pci_msix msix;
	struct pci_window windows[PCI_WINDOWS_MAX];
};

_Static_assert(sizeof(struct pci_function) == 8 + 2 * PCI_CONFIG_SIZE + 24 + 24 * PCI_WINDOWS_MAX,
	       "flat: it is part of the handoff");

/* An entry of an MSI-X table, as the guest wrote it. */
struct pci_vector {
	uint64_t address;
	uint32_t data;
	uint32_t control;
};

/* All that a guest finds. */
struct pci_bus {
	uint32_t count;
	struct pci_function functions[PCI_FUNCTIONS_MAX];
	struct pci_vector vectors[PCI_FUNCTIONS_MAX][PCI_VECTORS_MAX];
};

/* The host bridge, and the function of the rings if there are any (@rings); the others are added. */
void pci_bus_init(struct pci_bus *bus, int rings);
void pci_bus_add(struct pci_bus *bus, const struct pci_function *function);

/*
 * Is it sound by itself: in the window of the host bridge, in whole pages, MSI-X in its configuration space? -EPROTO.
 */
int pci_function_check(const struct pci_function *function);

struct device;

/* MSI-X: the guest wrote into configuration space of function @nth; or into its table, at @offset there. */
void pci_msix_config_written(struct device *dev, unsigned int nth);
void pci_msix_write(struct device *dev, unsigned int nth, uint64_t offset, const void *data, unsigned int len);
void pci_msix_read(const struct device *dev, unsigned int nth, uint64_t offset, void *data, unsigned int len);

#endif
