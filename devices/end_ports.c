// SPDX-License-Identifier: GPL-2.0-only
/* The three ports that end a VM. Each access is one OUT of a byte. */
#include "devices/device.h"

#include "devices/ports.h"

#define SLP_EN	       0x20
#define SLP_TYP(value) ((value) >> 2 & 7)

/*
 * ACPI 6.5, 4.8.3.7: writing SLP_EN to the sleep control register enters the state SLP_TYP. Before it, ACPICA writes
 * WAK_STS to the sleep status register (drivers/acpi/acpica/hwesleep.c, acpi_hw_extended_sleep()), which is nothing.
 */
static void power_off_port_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	uint8_t value = *(const uint8_t *)data;

	(void)len;
	if (offset == 0 && (value & SLP_EN) && SLP_TYP(value) == SLEEP_TYPE)
		dev->host->end(dev->host->ctx, DEVICE_POWER_OFF);
}

static void power_off_port_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	(void)dev;
	(void)offset;
	for (unsigned int i = 0; i < len; i++)
		((uint8_t *)data)[i] = 0;
}

const struct boot_device power_off_port_device = {
	.name = "power-off-port",
	.space = SPACE_PIO,
	.base = PORT_POWER_OFF,
	.size = 2,
	.read = power_off_port_read,
	.write = power_off_port_write,
};

static void reboot_port_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	const struct device_host *host = dev->host;
	uint16_t flag = 0;

	(void)offset;
	(void)len;
	if (*(const uint8_t *)data != REBOOT_VALUE)
		return;
	if (host->peek(host->ctx, BIOS_RESET_FLAG, &flag, sizeof(flag)))
		flag = 0;
	host->end(host->ctx, flag == RESET_FLAG_PANIC ? DEVICE_PANIC : DEVICE_REBOOT);
}

const struct boot_device reboot_port_device = {
	.name = "reboot-port",
	.space = SPACE_PIO,
	.base = PORT_REBOOT,
	.size = 1,
	.write = reboot_port_write,
};

static void panic_port_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	(void)offset;
	(void)data;
	(void)len;
	dev->host->end(dev->host->ctx, DEVICE_PANIC);
}

const struct boot_device panic_port_device = {
	.name = "panic-port",
	.space = SPACE_PIO,
	.base = PORT_PANIC,
	.size = 1,
	.write = panic_port_write,
};
