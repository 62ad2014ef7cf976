// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86/x86.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "base/util.h"

#define MSR_IA32_MISC_ENABLE 0x1a0
#define MISC_ENABLE_FAST     1 /* fast string operations */
#define MSR_MTRR_DEF_TYPE    0x2ff
#define MTRR_WRITE_BACK	     0x806 /* SDM vol. 3, 12.11.2.1: enabled (bit 11), all memory is write-back (6) */

int msrs_set_boot(int vcpu_fd)
{
	static const struct kvm_msr_entry values[] = {
		{ .index = MSR_IA32_MISC_ENABLE, .data = MISC_ENABLE_FAST },
		{ .index = MSR_MTRR_DEF_TYPE, .data = MTRR_WRITE_BACK },
	};
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[ARRAY_SIZE(values)];
	} msrs = { .head.nmsrs = ARRAY_SIZE(values) };
	int set;

	memcpy(msrs.entries, values, sizeof(values));
	set = ioctl(vcpu_fd, KVM_SET_MSRS, &msrs);
	if (set < 0)
		return fail(-errno, "KVM_SET_MSRS: %s", strerror(errno));
	if (set != ARRAY_SIZE(values))
		return fail(-EINVAL, "KVM_SET_MSRS: this host refuses MSR 0x%x", values[set].index);
	return 0;
}

/* What KVM gives the guest without an exit, of both vendors' MSRs, and Linux uses all the time. */
struct passed {
	uint32_t base;
	uint32_t count;
};

static const struct passed passed[] = {
	{ 0x48, 2 },	   /* SPEC_CTRL, PRED_CMD: at context switches, with some mitigations */
	{ 0xc0000100, 3 }, /* FS_BASE, GS_BASE, KERNEL_GS_BASE */
};

int msrs_deny(int vm_fd)
{
	uint64_t all = UINT64_MAX; /* one bit an MSR: allowed; KVM reads whole words */
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_DENY };

	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = passed[i].count,
			.base = passed[i].base,
			.bitmap = (uint8_t *)&all,
		};
	if (ioctl(vm_fd, KVM_X86_SET_MSR_FILTER, &filter))
		return fail(-errno, "KVM_X86_SET_MSR_FILTER: %s", strerror(errno));
	return 0;
}
