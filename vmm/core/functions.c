// SPDX-License-Identifier: GPL-2.0-only
/* PCI functions of the host's: their registers into the guest, and their interrupts to its vCPUs. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "vmm/core/core.h"

static int function_receive(int socket, struct vm *vm, struct passed *passed)
{
	struct handoff_function message;
	int fds[FUNCTION_FDS_MAX];
	ssize_t len = fd_receive(socket, &message, sizeof(message), fds, FUNCTION_FDS_MAX, 0);

	if (len != (ssize_t)sizeof(message) || message.magic != HANDOFF_MAGIC || message.size != sizeof(message) ||
	    pci_function_check(&message.function))
		return -EPROTO;
	/* they come in order, so with the last one all are there */
	if (fds[FUNCTION_FD_VECTORS + message.function.msix.vectors - 1] < 0)
		return -EPROTO;
	passed->device_fd = fds[FUNCTION_FD_DEVICE];
	passed->group_fd = fds[FUNCTION_FD_GROUP];
	memcpy(passed->eventfds, &fds[FUNCTION_FD_VECTORS], sizeof(passed->eventfds));
	pci_bus_add(&vm->pci, &message.function);
	return 0;
}

int functions_receive(int socket, struct vm *vm)
{
	int err = 0;

	pci_bus_init(&vm->pci, (int)vm->handoff.rings);
	for (uint32_t i = 0; !err && i < vm->handoff.functions; i++) {
		err = function_receive(socket, vm, &vm->passed[i]);
		if (!err && vm->pci.functions[vm->pci.count - 1].slot != PCI_SLOT_PASSED + i)
			err = -EPROTO;
	}
	return err;
}

/*
 * KVM must know that the VM has a device: posted interrupts (arch/x86/kvm/vmx/posted_intr.c, vmx_can_use_vtd_pi())
 * and memory types of DMA that isn't coherent hang on that.
 */
static int group_show(const struct vm *vm, int vfio_fd, const struct passed *passed)
{
	struct kvm_device_attr attr = { .group = KVM_DEV_VFIO_GROUP,
					.attr = KVM_DEV_VFIO_GROUP_ADD,
					.addr = (uint64_t)(uintptr_t)&passed->group_fd };

	(void)vm;
	/* two functions can be of one group */
	if (ioctl(vfio_fd, KVM_SET_DEVICE_ATTR, &attr) && errno != EEXIST)
		return fail(-errno, "KVM_DEV_VFIO_GROUP_ADD: %s", strerror(errno));
	return 0;
}

static int groups_show(const struct vm *vm)
{
	struct kvm_create_device vfio = { .type = KVM_DEV_TYPE_VFIO };
	int err = 0;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &vfio))
		return fail(-errno, "KVM_CREATE_DEVICE, VFIO: %s", strerror(errno));
	for (uint32_t i = 0; !err && i < vm->handoff.functions; i++)
		err = group_show(vm, (int)vfio.fd, &vm->passed[i]);
	close((int)vfio.fd); /* the VM has its own reference */
	return err;
}

static int window_map(const struct vm *vm, int device_fd, const struct pci_window *window, uint32_t slot)
{
	void *host = mmap(NULL, window->size, PROT_READ | PROT_WRITE, MAP_SHARED, device_fd, (off_t)window->offset);
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = window->gpa,
		.memory_size = window->size,
		.userspace_addr = (uint64_t)(uintptr_t)host,
	};

	if (host == MAP_FAILED)
		return fail(-errno, "map a function's registers: %s", strerror(errno));
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return fail(-errno, "a function's registers at 0x%llx: KVM_SET_USER_MEMORY_REGION: %s",
			    (unsigned long long)window->gpa, strerror(errno));
	return 0;
}

int functions_map(struct vm *vm, uint32_t slot)
{
	int err = vm->handoff.functions ? groups_show(vm) : 0;

	for (uint32_t i = 0; !err && i < vm->handoff.functions; i++) {
		struct passed *passed = &vm->passed[i];
		const struct pci_function *function = &vm->pci.functions[vm->pci.count - vm->handoff.functions + i];

		for (uint32_t w = 0; !err && w < function->nwindows; w++)
			err = window_map(vm, passed->device_fd, &function->windows[w], slot++);
		fd_close(&passed->device_fd);
		fd_close(&passed->group_fd);
	}
	return err;
}

/* Each vector has an interrupt number of its own for ever. */
static uint32_t gsi_of(unsigned int function, unsigned int nth)
{
	return function * PCI_VECTORS_MAX + nth;
}

static void route_drop(struct routes *routes, uint32_t gsi)
{
	for (uint32_t i = 0; i < routes->head.nr; i++)
		if (routes->entries[i].gsi == gsi)
			routes->entries[i] = routes->entries[--routes->head.nr];
}

/* Where its interrupts go, or nowhere. The guest chose the place, so KVM may refuse it. */
static int route_set(struct vm *vm, uint32_t gsi, const struct pci_vector *vector)
{
	struct routes *routes = &vm->routes;

	route_drop(routes, gsi);
	if (vector)
		routes->entries[routes->head.nr++] =
			(struct kvm_irq_routing_entry){ .gsi = gsi,
							.type = KVM_IRQ_ROUTING_MSI,
							.u.msi = { .address_lo = (uint32_t)vector->address,
								   .address_hi = (uint32_t)(vector->address >> 32),
								   .data = vector->data } };
	return ioctl(vm->fd, KVM_SET_GSI_ROUTING, &routes->head);
}

static int irqfd_set(const struct vm *vm, uint32_t gsi, int fd, uint32_t flags)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)fd, .gsi = gsi, .flags = flags };

	return ioctl(vm->fd, KVM_IRQFD, &irqfd);
}

/*
 * What came while a vector was masked stands in its eventfd, and KVM looks into that when it takes it
 * (virt/kvm/eventfd.c, kvm_irqfd_assign()). An interrupt that can't be delivered is lost, as it would be on a bus.
 */
void host_vector(void *ctx, unsigned int function, unsigned int nth, const struct pci_vector *vector)
{
	struct vm *vm = ctx;
	struct passed *passed = &vm->passed[function];
	uint32_t gsi = gsi_of(function, nth);

	if (!vector && !passed->on[nth])
		return;
	if (passed->on[nth] && !vector)
		irqfd_set(vm, gsi, passed->eventfds[nth], KVM_IRQFD_FLAG_DEASSIGN);
	if (route_set(vm, gsi, vector) && vector) {
		route_set(vm, gsi, NULL);
		if (passed->on[nth])
			irqfd_set(vm, gsi, passed->eventfds[nth], KVM_IRQFD_FLAG_DEASSIGN);
		vector = NULL;
	}
	if (vector && !passed->on[nth])
		vector = irqfd_set(vm, gsi, passed->eventfds[nth], 0) ? NULL : vector;
	passed->on[nth] = vector != NULL;
}
