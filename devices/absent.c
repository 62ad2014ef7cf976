// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware that isn't there, where a kernel looks for it without asking first. Reading as ones, as ports where nothing
 * is do, it takes them long to see that; reading as zeroes, they see it at once.
 */
#include "devices/device.h"

#include <string.h>

#include "devices/ports.h"

static void absent_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	(void)dev;
	(void)offset;
	memset(data, 0, len);
}

/*
 * arch/x86/kernel/tsc.c, quick_pit_calibrate(): waits while channel 2's count reads 0xff, for 50,000 times two reads.
 * They were 100,000 of the 142,000 exits of a boot.
 */
const struct boot_device absent_pit_device = {
	.name = "no-pit",
	.space = SPACE_PIO,
	.base = PORT_PIT,
	.size = 4,
	.read = absent_read,
};

/* arch/x86/kernel/reboot.c, kb_wait(): a reset before ACPI is up waits while "input buffer full" is set. */
const struct boot_device absent_keyboard_device = {
	.name = "no-i8042",
	.space = SPACE_PIO,
	.base = PORT_KEYBOARD_STATUS,
	.size = 1,
	.read = absent_read,
};
