// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 16550A as a stock kernel's 8250 driver finds it: National Semiconductor's PC16550D data sheet, section 8
 * (registers). The line is infinitely fast: what is sent is gone at once, so the transmitter is always empty.
 */
#include "devices/device.h"

#include "base/util.h"
#include "devices/ports.h"

enum {
	REG_DATA = 0, /* RBR, THR; DLL with DLAB */
	REG_IER = 1,  /* DLM with DLAB */
	REG_IIR = 2,  /* FCR when written */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

#define IER_RX	      0x01
#define IER_TX	      0x02
#define IIR_NONE      0x01
#define IIR_TX	      0x02
#define IIR_RX	      0x04
#define IIR_FIFOS     0xc0
#define FCR_ENABLE    0x01
#define FCR_CLEAR_RX  0x02
#define LCR_DLAB      0x80
#define MCR_LOOP      0x10
#define MCR_OUT2      0x08
#define LSR_DATA      0x01
#define LSR_TX_EMPTY  0x60 /* holding register and shifter */
#define MSR_CONNECTED 0xb0 /* DCD, DSR, CTS */

#define RX_SIZE 64  /* bytes; deeper than the chip's 16, which no driver minds */
#define TX_SIZE 128 /* bytes gathered into one message */

struct serial {
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t tx_pending; /* "transmitter empty" not yet acknowledged by reading IIR */
	uint8_t line;	    /* level of the interrupt line */
	unsigned int rx_head, rx_count, tx_count;
	uint8_t rx[RX_SIZE], tx[TX_SIZE];
};

static uint8_t serial_cause(const struct serial *s)
{
	if (s->rx_count && (s->ier & IER_RX))
		return IIR_RX;
	if (s->tx_pending && (s->ier & IER_TX))
		return IIR_TX;
	return IIR_NONE;
}

/* The pin is edge triggered: an interrupt is a rise of the line. */
static void serial_update_line(struct device *dev)
{
	struct serial *s = dev->state;
	uint8_t level = serial_cause(s) != IIR_NONE && (s->mcr & MCR_OUT2);

	if (level && !s->line)
		dev->host->irq(dev->host->ctx, SERIAL_GSI);
	s->line = level;
}

static void serial_flush(struct device *dev)
{
	struct serial *s = dev->state;

	if (s->tx_count)
		dev->host->console(dev->host->ctx, s->tx, s->tx_count);
	s->tx_count = 0;
}

static void serial_receive(struct serial *s, uint8_t byte)
{
	if (s->rx_count < RX_SIZE)
		s->rx[(s->rx_head + s->rx_count++) % RX_SIZE] = byte;
}

static void serial_send(struct device *dev, uint8_t byte)
{
	struct serial *s = dev->state;

	if (s->mcr & MCR_LOOP) { /* the driver's self test */
		serial_receive(s, byte);
	} else {
		s->tx[s->tx_count++] = byte;
		if (byte == '\n' || s->tx_count == TX_SIZE)
			serial_flush(dev);
	}
	s->tx_pending = 1;
	s->line = 0; /* filled and drained: the line fell and may rise again */
}

static uint8_t serial_take(struct serial *s)
{
	uint8_t byte;

	if (!s->rx_count)
		return 0;
	byte = s->rx[s->rx_head];
	s->rx_head = (s->rx_head + 1) % RX_SIZE;
	s->rx_count--;
	return byte;
}

/* In loop mode the outputs of MCR come back as the inputs of MSR: bits 0-3 as 5, 4, 6, 7. */
static uint8_t serial_modem_status(const struct serial *s)
{
	if (!(s->mcr & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((s->mcr & 0x01) << 5 | (s->mcr & 0x02) << 3 | (s->mcr & 0x0c) << 4);
}

static uint8_t serial_identify(struct serial *s)
{
	uint8_t cause = serial_cause(s);

	if (cause == IIR_TX)
		s->tx_pending = 0; /* reading IIR acknowledges this one */
	return cause | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t serial_register(struct serial *s, uint64_t reg)
{
	switch (reg) {
	case REG_DATA:
		return s->lcr & LCR_DLAB ? s->dll : serial_take(s);
	case REG_IER:
		return s->lcr & LCR_DLAB ? s->dlm : s->ier;
	case REG_IIR:
		return serial_identify(s);
	case REG_LCR:
		return s->lcr;
	case REG_MCR:
		return s->mcr;
	case REG_LSR:
		return LSR_TX_EMPTY | (s->rx_count ? LSR_DATA : 0);
	case REG_MSR:
		return serial_modem_status(s);
	default:
		return s->scr;
	}
}

static void serial_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	uint8_t *bytes = data;

	for (unsigned int i = 0; i < len; i++)
		bytes[i] = serial_register(dev->state, offset + i);
	serial_update_line(dev);
}

static void serial_enable(struct device *dev, uint8_t ier)
{
	struct serial *s = dev->state;

	if ((ier & IER_TX) && !(s->ier & IER_TX))
		s->tx_pending = 1; /* switched on while the transmitter is empty: interrupts at once */
	s->ier = ier & 0x0f;
	serial_flush(dev); /* a driver writes here when it has no more to send */
}

static void serial_set(struct device *dev, uint64_t reg, uint8_t value)
{
	struct serial *s = dev->state;

	switch (reg) {
	case REG_DATA:
		if (s->lcr & LCR_DLAB)
			s->dll = value;
		else
			serial_send(dev, value);
		break;
	case REG_IER:
		if (s->lcr & LCR_DLAB)
			s->dlm = value;
		else
			serial_enable(dev, value);
		break;
	case REG_IIR:
		s->fcr = value;
		if (value & FCR_CLEAR_RX)
			s->rx_count = 0;
		break;
	case REG_LCR:
		s->lcr = value;
		break;
	case REG_MCR:
		s->mcr = value & 0x1f;
		break;
	case REG_SCR:
		s->scr = value;
		break;
	default: /* LSR and MSR are read only */
		break;
	}
}

static void serial_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	const uint8_t *bytes = data;

	for (unsigned int i = 0; i < len; i++)
		serial_set(dev, offset + i, bytes[i]);
	serial_update_line(dev);
}

static size_t serial_input(struct device *dev, const void *bytes, size_t len)
{
	struct serial *s = dev->state;
	size_t taken = MIN(len, (size_t)(RX_SIZE - s->rx_count));

	for (size_t i = 0; i < taken; i++)
		serial_receive(s, ((const uint8_t *)bytes)[i]);
	serial_update_line(dev);
	return taken;
}

const struct boot_device serial_device = {
	.name = "serial",
	.space = SPACE_PIO,
	.base = PORT_SERIAL,
	.size = PORT_SERIAL_SIZE,
	.state_size = sizeof(struct serial),
	.read = serial_read,
	.write = serial_write,
	.input = serial_input,
};
