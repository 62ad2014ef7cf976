// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level mappings where KVM can't make them ahead of use (before Linux 6.12): a few instructions of ours, run by
 * vCPU 0 before the kernel, write to each page, a GiB at a time. Our own touching would fill the host's tables alone.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/x86/x86.h"

#define PAGE	    4096U
#define LARGE_PAGE  MIB(2)
#define PORT_DONE   0x80
#define ENTRIES	    512 /* of a page table */
#define PTE_PRESENT 1ULL
#define PTE_WRITE   2ULL
#define PTE_LARGE   0x80ULL /* SDM vol. 3, table 4-18 */

/*
 * Lent by the guest: the code, and page tables in which virtual address 0 is physical address 0, and the GiB from
 * WINDOW on is that which is being written to.
 */
#define WINDOW GIB(1)
enum { CODE, LEVEL4, LEVEL3, IDENTITY, TARGET, LENT };
#define LENT_AT	       0x1000U
#define LENT_GPA(page) (LENT_AT + (page)*PAGE)

/* RDI: where; RCX: how often; RDX: how far apart. Nothing changes what was there. */
static const uint8_t touch_code[] = {
	0x0f, 0x20,	 0xd8,	     /* mov %cr3, %rax */
	0x0f, 0x22,	 0xd8,	     /* mov %rax, %cr3: the window shows another GiB now */
	0xf0, 0x80,	 0x0f, 0x00, /* lock orb $0, (%rdi) */
	0x48, 0x01,	 0xd7,	     /* add %rdx, %rdi */
	0x48, 0xff,	 0xc9,	     /* dec %rcx */
	0x75, 0xf4,		     /* jnz to the orb */
	0xe6, PORT_DONE,	     /* out %al, $PORT_DONE */
};

static void large_pages_fill(uint64_t *table, uint64_t gpa)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		table[i] = (gpa + i * LARGE_PAGE) | PTE_LARGE | PTE_WRITE | PTE_PRESENT;
}

static uint64_t *lent_table(uint8_t *lent, unsigned int page)
{
	return (uint64_t *)(lent + (size_t)page * PAGE);
}

static void lent_fill(uint8_t *lent)
{
	memset(lent, 0, (size_t)LENT * PAGE);
	memcpy(lent, touch_code, sizeof(touch_code));
	lent_table(lent, LEVEL4)[0] = LENT_GPA(LEVEL3) | PTE_WRITE | PTE_PRESENT;
	lent_table(lent, LEVEL3)[0] = LENT_GPA(IDENTITY) | PTE_WRITE | PTE_PRESENT;
	lent_table(lent, LEVEL3)[WINDOW / GIB(1)] = LENT_GPA(TARGET) | PTE_WRITE | PTE_PRESENT;
	large_pages_fill(lent_table(lent, IDENTITY), 0);
}

/* Until its OUT; and once more, so that no OUT is left half done when its registers change. */
static int touch_run(int vcpu_fd, struct kvm_run *run)
{
	if (ioctl(vcpu_fd, KVM_RUN, 0))
		return fail(-errno, "mapping memory ahead: KVM_RUN: %s", strerror(errno));
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT_DONE)
		return fail(-EIO, "mapping memory ahead: KVM_RUN returned exit reason %u", run->exit_reason);
	run->immediate_exit = 1;
	if (!ioctl(vcpu_fd, KVM_RUN, 0) || errno != EINTR)
		return fail(-EIO, "mapping memory ahead: the vCPU doesn't stop");
	run->immediate_exit = 0;
	return 0;
}

static int touch_window(int vcpu_fd, struct kvm_run *run, uint64_t size, uint64_t step)
{
	struct kvm_regs regs = { .rip = LENT_GPA(CODE), .rflags = 2, .rdi = WINDOW, .rcx = size / step, .rdx = step };

	if (ioctl(vcpu_fd, KVM_SET_REGS, &regs))
		return fail(-errno, "mapping memory ahead: KVM_SET_REGS: %s", strerror(errno));
	return touch_run(vcpu_fd, run);
}

static int touch_range(int vcpu_fd, struct kvm_run *run, uint64_t *target, const struct memory_range *range,
		       uint64_t step)
{
	for (uint64_t done = 0; done < range->size;) {
		uint64_t gpa = range->gpa + done, from = align_down(gpa, LARGE_PAGE);
		uint64_t size = MIN(range->size - done, GIB(1));
		int err;

		if (from != gpa || size % step)
			return fail(-EINVAL, "mapping memory ahead: 0x%llx: not whole pages", (unsigned long long)gpa);
		large_pages_fill(target, gpa);
		err = touch_window(vcpu_fd, run, size, step);
		if (err)
			return err;
		done += size;
	}
	return 0;
}

static int touch_all(int vcpu_fd, struct kvm_run *run, uint8_t *lent, const struct memory_layout *layout, uint64_t step)
{
	const struct boot_entry entry = { .protocol = BOOT_LINUX64, .rip = LENT_GPA(CODE), .cr3 = LENT_GPA(LEVEL4) };
	struct kvm_sregs before;
	int err = 0;

	if (ioctl(vcpu_fd, KVM_GET_SREGS, &before))
		return fail(-errno, "KVM_GET_SREGS: %s", strerror(errno));
	err = regs_set_entry(vcpu_fd, &entry);
	for (uint32_t i = 0; !err && i < layout->count; i++)
		err = touch_range(vcpu_fd, run, lent_table(lent, TARGET), &layout->ranges[i], step);
	if (!err && ioctl(vcpu_fd, KVM_SET_SREGS, &before))
		err = fail(-errno, "KVM_SET_SREGS: %s", strerror(errno));
	return err;
}

int pages_touch(int vcpu_fd, struct kvm_run *run, uint8_t *memory, const struct memory_layout *layout, uint64_t step)
{
	uint8_t kept[LENT * PAGE];
	uint64_t offset;
	int err;

	if (!layout_find(layout, LENT_AT, sizeof(kept), &offset))
		return fail(-EINVAL, "mapping memory ahead: no memory at 0x%x", LENT_AT);
	memcpy(kept, memory + offset, sizeof(kept));
	lent_fill(memory + offset);
	err = touch_all(vcpu_fd, run, memory + offset, layout, step);
	memcpy(memory + offset, kept, sizeof(kept));
	return err;
}
