/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_X86_X86_H
#define VMM_X86_X86_H

#include <linux/kvm.h>
#include <stdint.h>

#include "vmm/boot/boot.h"

#define CPUID_ENTRIES_MAX 256

struct cpuid_table {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[CPUID_ENTRIES_MAX];
};

/* What the host's KVM can give a guest (KVM_GET_SUPPORTED_CPUID). Negative errno, reported. */
int cpuid_read_supported(int kvm_fd, struct cpuid_table *table);

/*
 * Make of the host's table what vCPU @vcpu of @vcpus shall see: its own APIC id, one package with @vcpus cores of one
 * thread each, and nothing whose use would exit once sealed (TSC deadline timer, TSC_ADJUST, PMU, MONITOR, APERF,
 * nested virtualization, of KVM's own features PV-EOI alone). -ENOSPC if the table overflows. Touches nothing else.
 */
int cpuid_shape(struct cpuid_table *table, unsigned int vcpu, unsigned int vcpus);

/* Registers in which vCPU 0 enters the kernel; the others wait for their INIT and SIPI. Negative errno, reported. */
int regs_set_entry(int vcpu_fd, const struct boot_entry *entry);

/*
 * Map all memory of @layout in the second-level tables, by having the vCPU write one word every @step bytes (a page, 2
 * MiB at most), as it is. The vCPU has not run yet and is then as it was, but for its general registers; @memory, all
 * of the guest's, has what it had. Negative errno, reported.
 */
int pages_touch(int vcpu_fd, struct kvm_run *run, uint8_t *memory, const struct memory_layout *layout, uint64_t step);

/* What firmware leaves in the MSRs of each vCPU. Negative errno, reported. */
int msrs_set_boot(int vcpu_fd);

/*
 * From now on the guest's every access to an MSR comes to user space, but to those that never exit. The local APIC's
 * can't be denied (arch/x86/kvm/x86.c: kvm_msr_allowed()). Negative errno, reported.
 */
int msrs_deny(int vm_fd);

#endif
