/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_X86_KVM_NEWER_H
#define VMM_X86_KVM_NEWER_H

#include <linux/kvm.h>
#include <linux/types.h>

/* Of include/uapi/linux/kvm.h, what older headers lack; the number of a call never changes. */
#ifndef KVM_PRE_FAULT_MEMORY /* 6.11 */
#define KVM_CAP_PRE_FAULT_MEMORY 236
#define KVM_PRE_FAULT_MEMORY	 _IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)
struct kvm_pre_fault_memory {
	__u64 gpa;
	__u64 size;
	__u64 flags;
	__u64 padding[5];
};
#endif

#endif
