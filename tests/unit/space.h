/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SPACE_H
#define TESTS_UNIT_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"
#include "devices/ports.h"
#include "sriov/sriov.h"

/*
 * A function's configuration space from any bytes, as VFIO could tell of it, and what must hold of the table that is
 * made of it. The first 8 bytes: each BAR's size as a power of two (0: none; from 64 on no power of two), which of them
 * can be mapped, how many vectors can be had. The rest is the space, from 0 on.
 */
#define SPACE_HEAD     8
#define SPACE_SHIFT    40 /* of BAR i: where VFIO has its region, drivers/vfio/pci/vfio_pci_priv.h */
#define SPACE_CAPS_MAX 2
#define SPACE_PAGE     4096u

static inline void space_of_bytes(struct function_space *space, const uint8_t *data, size_t size)
{
	uint8_t head[SPACE_HEAD] = { 0 };

	*space = (struct function_space){ .vectors = 0 };
	memcpy(head, data, MIN(size, sizeof(head)));
	for (unsigned int i = 0; i < FUNCTION_BARS; i++) {
		space->sizes[i] = head[i] >= 64 ? head[i] * 4097u : head[i] ? 1ull << head[i] : 0;
		space->offsets[i] = (uint64_t)i << SPACE_SHIFT;
	}
	space->mappable = head[6];
	space->vectors = head[7];
	if (size > SPACE_HEAD)
		memcpy(space->config, data + SPACE_HEAD, MIN(size - SPACE_HEAD, sizeof(space->config)));
}

static inline bool space_apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a + a_size <= b || b + b_size <= a;
}

/* Of the registers of one BAR, inside it, and not where the table or the PBA are. */
static inline const char *window_wrong(const struct function_space *space, const struct function_shape *shape,
				       unsigned int nth)
{
	const struct pci_msix *msix = &shape->table.msix;
	const struct pci_window *window = &shape->table.windows[nth];
	/* the device's own table, of which the guest may be shown less */
	uint64_t vectors = 1 + ((space->config[msix->cap + 2] | space->config[msix->cap + 3] << 8) & 0x7ff);
	uint64_t bar = window->offset >> SPACE_SHIFT, offset = window->offset & ((1ull << SPACE_SHIFT) - 1);

	if (bar >= FUNCTION_BARS || !(space->mappable & 1u << bar))
		return "a window of a BAR that can't be mapped";
	if (!window->size || offset + window->size > space->sizes[bar])
		return "a window beyond its BAR";
	if (window->gpa < PCI_WINDOW_BASE || window->gpa + window->size > RINGS_BASE)
		return "a window beyond the host bridge's";
	if (!space_apart(window->gpa, window->size, align_down(msix->table, SPACE_PAGE), SPACE_PAGE) ||
	    !space_apart(window->gpa, window->size, msix->table, vectors * sizeof(struct pci_vector)) ||
	    !space_apart(window->gpa, window->size, align_down(msix->pba, SPACE_PAGE), SPACE_PAGE))
		return "a window over the MSI-X table or the PBA";
	for (unsigned int i = 0; i < nth; i++)
		if (!space_apart(window->gpa, window->size, shape->table.windows[i].gpa, shape->table.windows[i].size))
			return "a window over another";
	return NULL;
}

/* The list of capabilities is one that ends, and has nothing in it but MSI-X and PCI Express. */
static inline const char *caps_wrong(const struct pci_function *table)
{
	unsigned int at = table->config[0x34], count = 0;
	bool msix = false;

	while (at && count++ < SPACE_CAPS_MAX) {
		if (at < 0x40 || at > PCI_CONFIG_SIZE - 4 || at & 3)
			return "a capability at no place for one";
		if (table->config[at] != 0x11 && table->config[at] != 0x10)
			return "a capability that is to be hidden";
		msix |= table->config[at] == 0x11 && at == table->msix.cap;
		at = table->config[at + 1];
	}
	return at || !msix ? "a list of capabilities that doesn't end, or has no MSI-X" : NULL;
}

/* What is wrong with what was made of @space, NULL: nothing; *@err: it was refused. */
static inline const char *space_wrong(const struct function_space *space, int *err)
{
	struct function_shape shape;
	uint64_t next = PCI_WINDOW_BASE;
	const char *what = NULL, *wrong = NULL;

	*err = space_shape(space, &shape, &what);
	if (*err)
		return what ? NULL : "refused, and not said why";
	*err = space_place(space, &shape, &next);
	if (*err)
		return NULL;
	shape.table.slot = PCI_SLOT_PASSED;
	if (pci_function_check(&shape.table))
		return "a table that the core manager doesn't take";
	if (next > RINGS_BASE)
		return "BARs beyond the host bridge's window";
	for (uint32_t i = 0; !wrong && i < shape.table.nwindows; i++)
		wrong = window_wrong(space, &shape, i);
	return wrong ? wrong : caps_wrong(&shape.table);
}

#endif
