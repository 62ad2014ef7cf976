// SPDX-License-Identifier: GPL-2.0-only
/*
 * An I/O APIC as of Intel's 82093AA data sheet, section 3, for the one boot device that interrupts. Edges only: a
 * level-triggered pin would need to be told of EOIs, and nothing here has one.
 */
#include "devices/device.h"

#include <string.h>

#include "devices/ports.h"

#define REG_SELECT 0x00 /* offsets in its page */
#define REG_WINDOW 0x10

#define INDEX_ID	  0x00
#define INDEX_VERSION	  0x01
#define INDEX_ARBITRATION 0x02
#define INDEX_TABLE	  0x10 /* two registers a pin */

#define VERSION_20_PINS(n) (0x20 | ((n)-1) << 16)

#define RTE_MASKED   (1ULL << 16)
#define RTE_WRITABLE (~(1ULL << 12 | 1ULL << 14)) /* delivery status and remote IRR are read only */
#define RTE_RESET    RTE_MASKED

struct ioapic {
	uint32_t select;
	uint32_t id;
	uint32_t pending;  /* edges that came while the pin was masked */
	uint32_t unmasked; /* pins that were ever set up: 0 means reset value */
	uint64_t table[IOAPIC_PINS];
};

static uint64_t ioapic_entry(const struct ioapic *io, unsigned int pin)
{
	return io->unmasked & 1U << pin ? io->table[pin] : RTE_RESET;
}

/* SDM vol. 3, 11.11 (message address and data): the entry's fields, moved. */
static void ioapic_deliver(struct device *dev, unsigned int pin)
{
	struct ioapic *io = dev->state;
	uint64_t rte = ioapic_entry(io, pin);
	uint64_t address = LAPIC_BASE | (rte >> 56) << 12 | (rte >> 11 & 1) << 2;
	uint32_t data = (uint32_t)(rte & 0x7ff); /* vector and delivery mode */

	if (rte & RTE_MASKED) {
		io->pending |= 1U << pin;
		return;
	}
	io->pending &= ~(1U << pin);
	dev->host->msi(dev->host->ctx, address, data);
}

static uint32_t ioapic_get(const struct ioapic *io)
{
	unsigned int pin = (io->select - INDEX_TABLE) / 2;

	switch (io->select) {
	case INDEX_ID:
	case INDEX_ARBITRATION:
		return io->id;
	case INDEX_VERSION:
		return VERSION_20_PINS(IOAPIC_PINS);
	}
	if (io->select < INDEX_TABLE || pin >= IOAPIC_PINS)
		return 0;
	return (uint32_t)(ioapic_entry(io, pin) >> (io->select & 1 ? 32 : 0));
}

static void ioapic_set_entry(struct device *dev, unsigned int pin, uint32_t value, int high)
{
	struct ioapic *io = dev->state;
	uint64_t rte = ioapic_entry(io, pin);

	rte = high ? (rte & 0xffffffff) | (uint64_t)value << 32 : (rte & ~0xffffffffULL) | value;
	io->table[pin] = rte & RTE_WRITABLE;
	io->unmasked |= 1U << pin;
	if (io->pending & 1U << pin)
		ioapic_deliver(dev, pin);
}

static void ioapic_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	const struct ioapic *io = dev->state;
	uint32_t value = offset == REG_SELECT ? io->select : offset == REG_WINDOW ? ioapic_get(io) : 0;

	if (len == sizeof(value))
		memcpy(data, &value, sizeof(value));
}

static void ioapic_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct ioapic *io = dev->state;
	uint32_t value;

	if (len != sizeof(value)) /* the data sheet allows 32-bit accesses alone */
		return;
	memcpy(&value, data, sizeof(value));
	if (offset == REG_SELECT)
		io->select = value & 0xff;
	if (offset != REG_WINDOW)
		return;
	if (io->select == INDEX_ID)
		io->id = value & 0x0f000000;
	if (io->select >= INDEX_TABLE && (io->select - INDEX_TABLE) / 2 < IOAPIC_PINS)
		ioapic_set_entry(dev, (io->select - INDEX_TABLE) / 2, value, io->select & 1);
}

static void ioapic_irq(struct device *dev, unsigned int gsi)
{
	if (gsi < IOAPIC_PINS)
		ioapic_deliver(dev, gsi);
}

const struct boot_device ioapic_device = {
	.name = "ioapic",
	.space = SPACE_MMIO,
	.base = IOAPIC_BASE,
	.size = IOAPIC_SIZE,
	.state_size = sizeof(struct ioapic),
	.read = ioapic_read,
	.write = ioapic_write,
	.irq = ioapic_irq,
};
