// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a function's configuration space to what a guest sees of it: PCI Local Bus Specification 3.0, 6. The guest's
 * reaches no device: BARs, MSI-X and the PCI Express capability are shown, and all else is hidden.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "base/util.h"
#include "sriov/sriov.h"

#define CAPS_MAX    48 /* so many fit; more is a loop */
#define CAPS_BEGIN  0x40
#define MSIX_SIZE   12
#define EXPRESS_V1  0x14 /* bytes of the capability of an endpoint; Express Base 3.1, 7.8 */
#define EXPRESS_V2  0x3c
#define DEVCAP_FLR  0x10 /* of the fourth byte of Device Capabilities */
#define VECTOR_SIZE 16

static uint16_t get16(const uint8_t *config, unsigned int at)
{
	return (uint16_t)(config[at] | config[at + 1] << 8);
}

static uint32_t get32(const uint8_t *config, unsigned int at)
{
	return get16(config, at) | (uint32_t)get16(config, at + 2) << 16;
}

static void put32(uint8_t *config, unsigned int at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		config[at + i] = (uint8_t)(value >> 8 * i);
}

/* The place of capability @id, 0: there is none; negative: the list is broken. */
static int cap_find(const uint8_t *config, uint8_t id, unsigned int size)
{
	unsigned int at = config[PCI_CAPABILITY_LIST] & ~3u;

	if (!(get16(config, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	for (unsigned int i = 0; at && i < CAPS_MAX; i++) {
		if (at < CAPS_BEGIN || at > PCI_CONFIG_SIZE - 4)
			return -EBADMSG;
		if (config[at] == id)
			return at + size <= PCI_CONFIG_SIZE ? (int)at : -EBADMSG;
		at = config[at + 1] & ~3u;
	}
	return at ? -EBADMSG : 0;
}

/* The head, without what stands for other functions of the device, self test and INTx. */
static void head_show(const uint8_t *real, struct pci_function *table)
{
	static const uint8_t shown[] = {
		PCI_VENDOR_ID,		 PCI_VENDOR_ID + 1,
		PCI_DEVICE_ID,		 PCI_DEVICE_ID + 1,
		PCI_REVISION_ID,	 PCI_CLASS_PROG,
		PCI_CLASS_DEVICE,	 PCI_CLASS_DEVICE + 1,
		PCI_SUBSYSTEM_VENDOR_ID, PCI_SUBSYSTEM_VENDOR_ID + 1,
		PCI_SUBSYSTEM_ID,	 PCI_SUBSYSTEM_ID + 1,
	};

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		table->config[shown[i]] = real[shown[i]];
	table->writable[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	table->writable[PCI_COMMAND + 1] = PCI_COMMAND_INTX_DISABLE >> 8;
	table->writable[PCI_CACHE_LINE_SIZE] = table->writable[PCI_LATENCY_TIMER] = 0xff;
	table->writable[PCI_INTERRUPT_LINE] = 0xff;
}

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* Memory BARs, their addresses to come; what is I/O is left out: no port of a device reaches a guest. */
static int bars_show(const struct function_space *space, struct function_shape *shape, const char **what)
{
	for (unsigned int i = 0; i < FUNCTION_BARS; i++) {
		uint32_t bar = get32(space->config, PCI_BASE_ADDRESS_0 + 4 * i), mask;
		bool wide = (bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
		uint64_t size = space->sizes[i];

		if (!size || bar & PCI_BASE_ADDRESS_SPACE_IO)
			continue;
		*what = "a BAR's size is no power of two from 16 bytes on";
		if (!is_power_of_two(size) || size < 16 || (wide && i == FUNCTION_BARS - 1))
			return -EBADMSG;
		shape->bars[i] = size;
		mask = (uint32_t) ~(size - 1);
		put32(shape->table.config, PCI_BASE_ADDRESS_0 + 4 * i, bar & 0xf);
		put32(shape->table.writable, PCI_BASE_ADDRESS_0 + 4 * i, mask & ~0xfu);
		if (wide)
			put32(shape->table.writable, PCI_BASE_ADDRESS_0 + 4 * ++i, (uint32_t)(~(size - 1) >> 32));
	}
	return 0;
}

/* A table or PBA of @size bytes lies in a BAR that is shown. */
static int in_bar(const struct function_shape *shape, uint32_t place, uint64_t size, unsigned int *bar,
		  uint64_t *offset)
{
	*bar = place & PCI_MSIX_TABLE_BIR;
	*offset = place & PCI_MSIX_TABLE_OFFSET;
	if (*bar >= FUNCTION_BARS || !shape->bars[*bar])
		return -EBADMSG;
	return range_fits(*offset, size, shape->bars[*bar]) ? 0 : -EBADMSG;
}

static int msix_show(const struct function_space *space, struct function_shape *shape, const char **what)
{
	int at = cap_find(space->config, PCI_CAP_ID_MSIX, MSIX_SIZE);
	struct pci_function *table = &shape->table;

	*what = "its list of capabilities is broken";
	if (at < 0)
		return at;
	*what = "it has no MSI-X: its interrupts would need the host at each one";
	if (!at || !space->vectors)
		return -EOPNOTSUPP;
	shape->vectors = 1u + (get16(space->config, (unsigned int)at + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE);
	*what = "its MSI-X table or PBA isn't in a BAR";
	if (in_bar(shape, get32(space->config, (unsigned int)at + PCI_MSIX_TABLE), shape->vectors * VECTOR_SIZE,
		   &shape->table_bar, &shape->table_offset) ||
	    in_bar(shape, get32(space->config, (unsigned int)at + PCI_MSIX_PBA), sizeof(uint64_t), &shape->pba_bar,
		   &shape->pba_offset))
		return -EBADMSG;
	table->msix.cap = (uint32_t)at;
	table->msix.vectors = MIN(MIN(shape->vectors, space->vectors), PCI_VECTORS_MAX);
	memcpy(table->config + at, space->config + at, MSIX_SIZE);
	table->config[at + PCI_MSIX_FLAGS] = (uint8_t)(table->msix.vectors - 1);
	table->config[at + PCI_MSIX_FLAGS + 1] = 0;
	table->writable[at + PCI_MSIX_FLAGS + 1] = (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8;
	return 0;
}

/*
 * What it is, and its link, to be read. Its function level reset isn't offered: the supervisor resets it before and
 * after the VM, and a guest's driver has its own.
 */
static int express_show(const struct function_space *space, struct function_shape *shape, const char **what)
{
	int at = cap_find(space->config, PCI_CAP_ID_EXP, EXPRESS_V1);
	unsigned int size = EXPRESS_V1;
	uint8_t *config = shape->table.config;

	*what = "its list of capabilities is broken";
	if (at <= 0)
		return at;
	if ((get16(space->config, (unsigned int)at + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_VERS) >= 2 &&
	    at + EXPRESS_V2 <= PCI_CONFIG_SIZE)
		size = EXPRESS_V2;
	if (shape->table.msix.cap + MSIX_SIZE > (unsigned int)at && shape->table.msix.cap < (unsigned int)at + size)
		return -EBADMSG;
	memcpy(config + at, space->config + at, size);
	config[at + PCI_EXP_DEVCAP + 3] &= (uint8_t)~DEVCAP_FLR;
	config[at + 1] = (uint8_t)shape->table.msix.cap; /* the next is the last */
	return at;
}

int space_shape(const struct function_space *space, struct function_shape *shape, const char **what)
{
	int err;

	*shape = (struct function_shape){ .table = { .slot = 0 } };
	*what = "its header isn't a device's";
	if ((space->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MASK) != PCI_HEADER_TYPE_NORMAL)
		return -EOPNOTSUPP;
	head_show(space->config, &shape->table);
	err = bars_show(space, shape, what);
	if (!err)
		err = msix_show(space, shape, what);
	if (err)
		return err;
	err = express_show(space, shape, what);
	if (err < 0)
		return err;
	shape->table.config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	shape->table.config[PCI_CAPABILITY_LIST] = (uint8_t)(err ? (uint32_t)err : shape->table.msix.cap);
	shape->table.config[shape->table.msix.cap + 1] = 0;
	return 0;
}
