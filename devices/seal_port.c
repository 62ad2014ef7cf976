// SPDX-License-Identifier: GPL-2.0-only
#include "devices/device.h"

#include "devices/ports.h"

static void seal_port_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	(void)offset;
	(void)len; /* the port is one byte wide */
	dev->host->ready(dev->host->ctx, *(const uint8_t *)data);
}

const struct boot_device seal_port_device = {
	.name = "seal-port",
	.space = SPACE_PIO,
	.base = PORT_SEAL,
	.size = 1,
	.write = seal_port_write,
};
