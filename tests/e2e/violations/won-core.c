// SPDX-License-Identifier: GPL-2.0-only
/*
 * A core manager that its guest has won before the seal, as far as its filter lets it: it does all that the supervisor
 * asks, and then its main thread runs the guest in place of the vCPU's, which has the tripwire on it. It is linked with
 * the real one's sources, of which it replaces two functions (--wrap).
 */
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seccomp/filter.h"
#include "vmm/core/core.h"

void __real_seal_request(struct vm *vm);
void __wrap_seal_request(struct vm *vm);
void __wrap_vcpu_sealed(struct vcpu *vcpu) __attribute__((noreturn));

void __wrap_seal_request(struct vm *vm)
{
	struct request request = { 0 };
	struct iovec iov = { .iov_base = &request, .iov_len = sizeof(request) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (recvmsg(HANDOFF_SOCKET, &message, MSG_PEEK) < 0 || request.type != REQUEST_GO) {
		__real_seal_request(vm);
		return;
	}
	for (;;)
		ioctl(vm->vcpus[0].fd, KVM_RUN, 0);
}

void __wrap_vcpu_sealed(struct vcpu *vcpu)
{
	if (filter_put(&vcpu->filter))
		_exit(CORE_EXIT_ERROR);
	vcpu->run->immediate_exit = 0;
	atomic_fetch_add(&vcpu->vm->filtered, 1);
	for (;;)
		__builtin_ia32_pause();
}
