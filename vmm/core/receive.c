// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/core/core.h"

static int layout_check(const struct memory_layout *layout)
{
	uint64_t total = 0;

	if (layout->count == 0 || layout->count > MEMORY_RANGES)
		return -EPROTO;
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct memory_range *range = &layout->ranges[i];

		if (range->size == 0 || range->size > MEMORY_MAX || range->offset != total || range->gpa > MEMORY_MAX)
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
	return layout_check(&handoff->layout);
}

static int handoff_take_fds(struct msghdr *msg, struct vm *vm)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int fds[HANDOFF_FDS];

	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(fds)))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(cmsg), sizeof(fds));
	vm->kvm_fd = fds[HANDOFF_FD_KVM];
	vm->memory_fd = fds[HANDOFF_FD_MEMORY];
	vm->console_fd = fds[HANDOFF_FD_CONSOLE];
	return 0;
}

int handoff_receive(int socket, struct vm *vm)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * HANDOFF_FDS)];
	} control;
	struct iovec iov = { .iov_base = &vm->handoff, .iov_len = sizeof(vm->handoff) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	ssize_t len = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);

	if (len != (ssize_t)sizeof(vm->handoff) || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return -EPROTO;
	if (handoff_check(&vm->handoff))
		return -EPROTO;
	return handoff_take_fds(&msg, vm);
}
