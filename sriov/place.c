// SPDX-License-Identifier: GPL-2.0-only
/* Where a function's BARs are in the guest, and what of them is mapped there. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/util.h"
#include "devices/ports.h"
#include "sriov/sriov.h"

#define PAGE_SIZE KIB(4)
#define BAR_MAX	  MIB(512) /* the largest power of two in the host bridge's window */

static void address_put(struct pci_function *table, unsigned int bar, uint64_t gpa)
{
	uint8_t *config = table->config + PCI_BASE_ADDRESS_0 + 4 * bar;

	for (unsigned int i = 0; i < 4; i++)
		config[i] |= (uint8_t)(gpa >> 8 * i);
}

/* The largest first, so that none leaves a gap by its alignment. */
static int bars_place(struct function_shape *shape, uint64_t *gpas, uint64_t *next)
{
	for (unsigned int i = 0; i < FUNCTION_BARS; i++)
		if (shape->bars[i] > BAR_MAX)
			return -ENOSPC;
	for (uint64_t size = BAR_MAX; size; size >>= 1) {
		for (unsigned int i = 0; i < FUNCTION_BARS; i++) {
			uint64_t room = MAX(size, PAGE_SIZE), at = align_up(*next, room);

			if (shape->bars[i] != size)
				continue;
			if (!range_fits(at, room, RINGS_BASE))
				return -ENOSPC;
			gpas[i] = at;
			*next = at + room;
			address_put(&shape->table, i, at);
		}
	}
	return 0;
}

/* [@from, @to) of a BAR, to be mapped. */
static int window_add(struct pci_function *table, uint64_t gpa, uint64_t offset, uint64_t from, uint64_t to)
{
	if (from >= to)
		return 0;
	if (table->nwindows == PCI_WINDOWS_MAX)
		return -ENOSPC;
	table->windows[table->nwindows++] =
		(struct pci_window){ .gpa = gpa + from, .size = to - from, .offset = offset + from };
	return 0;
}

struct hole {
	uint64_t from, to;
};

/* The whole BAR, but for the pages that have the device's whole MSI-X table, or the PBA's beginning, in them. */
static int windows_add(const struct function_space *space, struct function_shape *shape, unsigned int bar, uint64_t gpa)
{
	struct hole holes[3], first;
	unsigned int count = 0;
	uint64_t from = 0;
	int err = 0;

	if (shape->table_bar == bar)
		holes[count++] =
			(struct hole){ align_down(shape->table_offset, PAGE_SIZE),
				       align_up(shape->table_offset + shape->vectors * sizeof(struct pci_vector),
						PAGE_SIZE) };
	if (shape->pba_bar == bar)
		holes[count++] = (struct hole){ align_down(shape->pba_offset, PAGE_SIZE),
						align_up(shape->pba_offset + 8, PAGE_SIZE) };
	if (count == 2 && holes[1].from < holes[0].from) {
		first = holes[1];
		holes[1] = holes[0];
		holes[0] = first;
	}
	holes[count++] = (struct hole){ shape->bars[bar], shape->bars[bar] };
	for (unsigned int i = 0; !err && i < count; i++) {
		err = window_add(&shape->table, gpa, space->offsets[bar], from, holes[i].from);
		from = MAX(from, holes[i].to);
	}
	return err;
}

/* Nothing but the table is in a BAR that can't be mapped: each access of the rest would be an exit. */
static bool is_only_msix(const struct function_shape *shape, unsigned int bar)
{
	return shape->bars[bar] <= PAGE_SIZE && (shape->table_bar == bar || shape->pba_bar == bar);
}

int space_place(const struct function_space *space, struct function_shape *shape, uint64_t *next)
{
	uint64_t gpas[FUNCTION_BARS] = { 0 };
	int err = bars_place(shape, gpas, next);

	for (unsigned int i = 0; !err && i < FUNCTION_BARS; i++) {
		if (!shape->bars[i] || is_only_msix(shape, i))
			continue;
		if (!(space->mappable & 1u << i) || shape->bars[i] < PAGE_SIZE)
			return -EOPNOTSUPP;
		err = windows_add(space, shape, i, gpas[i]);
	}
	shape->table.msix.table = gpas[shape->table_bar] + shape->table_offset;
	shape->table.msix.pba = gpas[shape->pba_bar] + shape->pba_offset;
	return err;
}
