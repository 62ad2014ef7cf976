// SPDX-License-Identifier: GPL-2.0-only
/*
 * One OUT of a byte says that the guest is ready. Printable bytes before it are a label, which is kept with the VM's
 * report; a zero byte begins a new one. Reading the port tells a guest that this is nohype's.
 */
#include "devices/device.h"

#include "devices/ports.h"

struct seal_port {
	char label[SEAL_LABEL_MAX + 1];
	uint8_t len;
};

/* What is more than the label has room for is lost. */
static void label_add(struct seal_port *port, char byte)
{
	if (port->len < SEAL_LABEL_MAX)
		port->label[port->len++] = byte;
}

static void label_clear(struct seal_port *port)
{
	*port = (struct seal_port){ .len = 0 };
}

static void seal_port_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	uint8_t value = *(const uint8_t *)data;

	(void)offset;
	(void)len; /* the port is one byte wide */
	if (value == 0) {
		label_clear(dev->state);
	} else if (value >= ' ' && value <= '~') {
		label_add(dev->state, (char)value);
	} else {
		dev->host->ready(dev->host->ctx, value, ((const struct seal_port *)dev->state)->label);
		label_clear(dev->state);
	}
}

static void seal_port_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)len;
	*(uint8_t *)data = SEAL_PORT_HERE;
}

const struct boot_device seal_port_device = {
	.name = "seal-port",
	.space = SPACE_PIO,
	.base = PORT_SEAL,
	.size = 1,
	.state_size = sizeof(struct seal_port),
	.read = seal_port_read,
	.write = seal_port_write,
};
