/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Boot devices: what is emulated until the seal, and gone after it. A device is one file: its state, its handlers and
 * one struct boot_device. devices.c has the array that names them all, so every port and page that a guest can reach
 * stands there. Calls into devices are made under the core manager's device lock, by any thread.
 */
enum device_space { SPACE_PIO, SPACE_MMIO };

enum device_end { DEVICE_POWER_OFF, DEVICE_REBOOT, DEVICE_PANIC };

struct pci_bus;
struct pci_vector;

/* What a device may ask of the core manager. */
struct device_host {
	void *ctx;
	struct pci_bus *pci;					 /* the functions that the guest finds */
	void (*irq)(void *ctx, unsigned int gsi);		 /* pulse an edge-triggered pin of the I/O APIC */
	void (*msi)(void *ctx, uint64_t address, uint32_t data); /* to a local APIC */
	/* MSI-X vector @nth of the host's function @function goes where @vector says, or waits (NULL) */
	void (*vector)(void *ctx, unsigned int function, unsigned int nth, const struct pci_vector *vector);
	void (*console)(void *ctx, const void *bytes, size_t len);
	/* the guest wrote @value to the seal port, and @label before it ("": none; printable) */
	void (*ready)(void *ctx, uint8_t value, const char *label);
	void (*end)(void *ctx, enum device_end end);		       /* the guest is done: does not return */
	int (*peek)(void *ctx, uint64_t gpa, void *bytes, size_t len); /* read guest memory; -EFAULT */
};

struct device;

struct boot_device {
	const char *name;
	enum device_space space;
	uint64_t base;	   /* first port, or guest-physical address */
	uint64_t size;	   /* ports or bytes; an access never crosses the end */
	size_t state_size; /* zeroed when made */
	/* @offset from base; @len 1, 2, 4 or 8 (MMIO). read fills all of @data. Each may be NULL: reads as ones, lost.
	 */
	void (*read)(struct device *dev, uint64_t offset, void *data, unsigned int len);
	void (*write)(struct device *dev, uint64_t offset, const void *data, unsigned int len);
	/* Bytes typed at the console; returns how many were taken. */
	size_t (*input)(struct device *dev, const void *bytes, size_t len);
	/* Edge at pin @gsi of an interrupt controller. */
	void (*irq)(struct device *dev, unsigned int gsi);
};

struct device {
	const struct boot_device *ops;
	const struct device_host *host;
	void *state;
};

#define DEVICES_MAX 16

struct devices {
	unsigned int count;
	struct device list[DEVICES_MAX];
};

/* Make all boot devices; @host must outlive them. -ENOMEM. They are never freed: the process ends first. */
int devices_create(struct devices *devices, const struct device_host *host);

/* One access of the guest's. Where no device is, reads give ones and writes are lost, as on real buses. */
void devices_read(struct devices *devices, enum device_space space, uint64_t address, void *data, unsigned int len);
void devices_write(struct devices *devices, enum device_space space, uint64_t address, const void *data,
		   unsigned int len);

/* Offer console bytes to whoever takes them, returns how many were taken; raise pin @gsi. */
size_t devices_input(struct devices *devices, const void *bytes, size_t len);
void devices_irq(struct devices *devices, unsigned int gsi);

#endif
