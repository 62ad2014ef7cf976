/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_MACHINE_H
#define TESTS_UNIT_MACHINE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "devices/device.h"
#include "devices/pci.h"
#include "devices/ports.h"

/* Boot devices with a core manager that only writes down what it is asked for. */
struct machine {
	struct devices devices;
	struct device_host host;
	struct pci_bus pci;
	unsigned int routed;					    /* calls */
	struct pci_vector vectors[PCI_PASSED_MAX][PCI_VECTORS_MAX]; /* where each goes; all zero: it waits */
	unsigned int irqs, gsi;
	unsigned int msis;
	uint64_t address;
	uint32_t data;
	size_t printed;
	char console[4096];
	int ready; /* -1: nothing was said */
	char label[SEAL_LABEL_MAX + 1];
	int end;       /* -1: it goes on */
	uint16_t flag; /* at 0x472 of the guest's memory */
	int peek_err;
};

static void machine_irq(void *ctx, unsigned int gsi)
{
	struct machine *machine = ctx;

	machine->irqs++;
	machine->gsi = gsi;
	devices_irq(&machine->devices, gsi);
}

static void machine_msi(void *ctx, uint64_t address, uint32_t data)
{
	struct machine *machine = ctx;

	machine->msis++;
	machine->address = address;
	machine->data = data;
}

static void machine_vector(void *ctx, unsigned int function, unsigned int nth, const struct pci_vector *vector)
{
	struct machine *machine = ctx;

	machine->routed++;
	machine->vectors[function][nth] = vector ? *vector : (struct pci_vector){ 0 };
}

static void machine_console(void *ctx, const void *bytes, size_t len)
{
	struct machine *machine = ctx;
	size_t room = sizeof(machine->console) - 1 - machine->printed;

	len = len < room ? len : room;
	memcpy(machine->console + machine->printed, bytes, len);
	machine->printed += len;
	machine->console[machine->printed] = '\0';
}

static void machine_ready(void *ctx, uint8_t value, const char *label)
{
	struct machine *machine = ctx;

	machine->ready = value;
	snprintf(machine->label, sizeof(machine->label), "%s", label);
}

static void machine_end(void *ctx, enum device_end end)
{
	((struct machine *)ctx)->end = (int)end;
}

static int machine_peek(void *ctx, uint64_t gpa, void *bytes, size_t len)
{
	const struct machine *machine = ctx;

	if (machine->peek_err || gpa != 0x472 || len != sizeof(machine->flag))
		return -14;
	memcpy(bytes, &machine->flag, len);
	return 0;
}

static inline int machine_make(struct machine *machine)
{
	*machine = (struct machine){ .ready = -1, .end = -1 };
	machine->host = (struct device_host){ .ctx = machine,
					      .irq = machine_irq,
					      .msi = machine_msi,
					      .pci = &machine->pci,
					      .vector = machine_vector,
					      .console = machine_console,
					      .ready = machine_ready,
					      .end = machine_end,
					      .peek = machine_peek };
	pci_bus_init(&machine->pci, 0);
	return devices_create(&machine->devices, &machine->host);
}

static inline void machine_free(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->devices.count; i++)
		free(machine->devices.list[i].state);
}

static inline uint64_t machine_read(struct machine *machine, enum device_space space, uint64_t at, unsigned int len)
{
	uint64_t value = 0;

	devices_read(&machine->devices, space, at, &value, len);
	return value;
}

static inline void machine_write(struct machine *machine, enum device_space space, uint64_t at, uint64_t value,
				 unsigned int len)
{
	devices_write(&machine->devices, space, at, &value, len);
}

static inline uint8_t in(struct machine *machine, uint16_t port)
{
	return (uint8_t)machine_read(machine, SPACE_PIO, port, 1);
}

static inline void out(struct machine *machine, uint16_t port, uint8_t value)
{
	machine_write(machine, SPACE_PIO, port, value, 1);
}

#endif
