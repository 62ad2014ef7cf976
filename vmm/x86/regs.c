// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86/x86.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"

#define CR0_PE	 (1ULL << 0)
#define CR0_ET	 (1ULL << 4)
#define CR0_PG	 (1ULL << 31)
#define CR4_PAE	 (1ULL << 5)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)

#define RFLAGS_FIXED 0x2 /* bit 1 is always set */

/* Selectors that Linux' boot protocol asks for (boot.rst: __BOOT_CS, __BOOT_DS); PVH takes any. */
#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18

static struct kvm_segment segment_code(int is_long)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = SELECTOR_CODE,
		.type = 0xb, /* execute, read, accessed */
		.present = 1,
		.s = 1,
		.l = is_long,
		.db = !is_long,
		.g = 1,
	};
}

static struct kvm_segment segment_data(void)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = SELECTOR_DATA,
		.type = 0x3, /* read, write, accessed */
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
}

/* A busy 32-bit TSS of the smallest size: VM entry wants one to be there (SDM vol. 3, 27.3.1.2; PVH: limit 0x67). */
static struct kvm_segment segment_task(void)
{
	return (struct kvm_segment){ .limit = 0x67, .type = 0xb, .present = 1 };
}

static void sregs_set_segments(struct kvm_sregs *sregs, const struct boot_entry *entry)
{
	sregs->cs = segment_code(entry->protocol == BOOT_LINUX64);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = segment_data();
	sregs->tr = segment_task();
	sregs->gdt.base = entry->gdt;
	sregs->gdt.limit = (uint16_t)entry->gdt_limit;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
}

static void sregs_set_mode(struct kvm_sregs *sregs, const struct boot_entry *entry)
{
	sregs->cr0 = CR0_PE | CR0_ET;
	if (entry->protocol != BOOT_LINUX64)
		return;
	sregs->cr0 |= CR0_PG;
	sregs->cr3 = entry->cr3;
	sregs->cr4 = CR4_PAE;
	sregs->efer = EFER_LME | EFER_LMA;
}

int regs_set_entry(int vcpu_fd, const struct boot_entry *entry)
{
	struct kvm_regs regs = { .rip = entry->rip, .rsi = entry->rsi, .rbx = entry->rbx, .rflags = RFLAGS_FIXED };
	struct kvm_sregs sregs;

	if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs))
		return fail(-errno, "KVM_GET_SREGS: %s", strerror(errno));
	sregs_set_segments(&sregs, entry);
	sregs_set_mode(&sregs, entry);
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs))
		return fail(-errno, "KVM_SET_SREGS: %s", strerror(errno));
	if (ioctl(vcpu_fd, KVM_SET_REGS, &regs))
		return fail(-errno, "KVM_SET_REGS: %s", strerror(errno));
	return 0;
}
