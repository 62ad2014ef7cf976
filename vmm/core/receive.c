// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "base/fd.h"
#include "base/util.h"
#include "vmm/core/core.h"

static int layout_check(const struct memory_layout *layout)
{
	uint64_t total = 0;

	if (layout->count == 0 || layout->count > MEMORY_RANGES)
		return -EPROTO;
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct memory_range *range = &layout->ranges[i];

		if (range->size == 0 || range->size > MEMORY_MAX || range->offset != total ||
		    range->gpa > MEMORY_GPA_MAX)
			return -EPROTO;
		if (range->kind != MEMORY_RAM && range->kind != MEMORY_DISK)
			return -EPROTO;
		total += range->size;
	}
	return total == layout->size && total <= MEMORY_MAX ? 0 : -EPROTO;
}

/* The supervisor made it, and yet: a broken one must not make a VM that is other than what was asked. */
int handoff_check(const struct handoff *handoff)
{
	if (handoff->magic != HANDOFF_MAGIC || handoff->version != HANDOFF_VERSION || handoff->size != sizeof(*handoff))
		return -EPROTO;
	if (handoff->vcpus == 0 || handoff->vcpus > VM_VCPUS_MAX || !handoff->tsc_khz || !handoff->supervisor_pid)
		return -EPROTO;
	if (handoff->seal_level < SEAL_AUDIT || handoff->seal_level > SEAL_SILENT)
		return -EPROTO;
	if (handoff->entry.protocol != BOOT_LINUX64 && handoff->entry.protocol != BOOT_PVH)
		return -EPROTO;
	if (handoff->touch_step && handoff->touch_step != KIB(4) && handoff->touch_step != MIB(2))
		return -EPROTO;
	if (handoff->rings > 1 || handoff->functions > PCI_PASSED_MAX)
		return -EPROTO;
	return layout_check(&handoff->layout);
}

int handoff_receive(int socket, struct vm *vm)
{
	int fds[HANDOFF_FDS];
	ssize_t len = fd_receive(socket, &vm->handoff, sizeof(vm->handoff), fds, HANDOFF_FDS, 0);

	/* they come in order, so with the last one all are there */
	if (len != (ssize_t)sizeof(vm->handoff) || fds[HANDOFF_FD_CONSOLE] < 0 ||
	    (vm->handoff.rings && fds[HANDOFF_FD_RINGS] < 0))
		return -EPROTO;
	vm->kvm_fd = fds[HANDOFF_FD_KVM];
	vm->memory_fd = fds[HANDOFF_FD_MEMORY];
	vm->console_fd = fds[HANDOFF_FD_CONSOLE];
	vm->rings_fd = fds[HANDOFF_FD_RINGS];
	return handoff_check(&vm->handoff) ? -EPROTO : functions_receive(socket, vm);
}
