// SPDX-License-Identifier: GPL-2.0-only
/* What boot devices may ask of the core manager; always called with the device lock held. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "vmm/core/core.h"

static void host_irq(void *ctx, unsigned int gsi)
{
	struct vm *vm = ctx;

	devices_irq(&vm->devices, gsi);
}

/* An interrupt that can't be delivered is lost, as it would be on a bus: the guest chose where it goes. */
static void host_msi(void *ctx, uint64_t address, uint32_t data)
{
	const struct vm *vm = ctx;
	struct kvm_msi msi = { .address_lo = (uint32_t)address, .address_hi = (uint32_t)(address >> 32), .data = data };

	ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}

/* Waits while the supervisor is behind: a guest that prints too fast waits, nobody else does. */
static void host_console(void *ctx, const void *bytes, size_t len)
{
	const struct vm *vm = ctx;
	const uint8_t *at = bytes;

	while (len) {
		ssize_t sent = send(vm->console_fd, at, len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return; /* the supervisor is gone, and so will we be */
		at += sent;
		len -= (size_t)sent;
	}
}

static void host_ready(void *ctx, uint8_t value, const char *label)
{
	struct vm *vm = ctx;

	/* The guest that asked runs nothing more before it is sealed: this thread goes to the second gate, or waits. */
	atomic_store(vm->handoff.seal_level == SEAL_AUDIT ? &vm->holding : &vm->parking, 1);
	event_send_ready(value, label);
}

static void host_end(void *ctx, enum device_end end)
{
	static const enum end_cause cause[] = {
		[DEVICE_POWER_OFF] = END_POWER_OFF,
		[DEVICE_REBOOT] = END_REBOOT,
		[DEVICE_PANIC] = END_PANIC,
	};

	(void)ctx;
	event_end(cause[end], 0, 0, "");
}

static int host_peek(void *ctx, uint64_t gpa, void *bytes, size_t len)
{
	const struct vm *vm = ctx;
	uint64_t offset;

	if (!layout_find(&vm->handoff.layout, gpa, len, &offset))
		return -EFAULT;
	memcpy(bytes, vm->memory + offset, len);
	return 0;
}

void host_init(struct vm *vm)
{
	pthread_mutex_init(&vm->device_lock, NULL);
	vm->host = (struct device_host){
		.ctx = vm,
		.pci = &vm->pci,
		.irq = host_irq,
		.msi = host_msi,
		.vector = host_vector,
		.console = host_console,
		.ready = host_ready,
		.end = host_end,
		.peek = host_peek,
	};
}
