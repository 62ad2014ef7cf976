// SPDX-License-Identifier: GPL-2.0-only
/* A VM of a page and a few instructions, to see and not to believe. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define PROBE_PORT 0x80
#define PAGE	   4096

/* 16-bit code at address 0: PAUSE, then OUT 0x80, AL. It must get that far with the exits switched off. */
static const uint8_t probe_code[] = { 0xf3, 0x90, 0xe6, PROBE_PORT };

struct probe {
	int vm, vcpu;
	uint8_t *page;
	struct kvm_run *run;
	size_t run_size;
};

static int probe_registers(const struct probe *probe)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(probe->vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(probe->vcpu, KVM_SET_SREGS, &sregs) || ioctl(probe->vcpu, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

static int probe_build(struct probe *probe, int kvm_fd, uint32_t mask)
{
	struct kvm_enable_cap irqchip = { .cap = KVM_CAP_SPLIT_IRQCHIP };
	struct kvm_enable_cap disable = { .cap = KVM_CAP_X86_DISABLE_EXITS, .args[0] = mask };
	struct kvm_userspace_memory_region slot = { .memory_size = PAGE };

	probe->vm = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	if (probe->vm < 0 || ioctl(probe->vm, KVM_SET_TSS_ADDR, 0xfffbd000) ||
	    ioctl(probe->vm, KVM_ENABLE_CAP, &irqchip) || (mask && ioctl(probe->vm, KVM_ENABLE_CAP, &disable)))
		return -errno;
	probe->page = aligned_alloc(PAGE, PAGE);
	if (!probe->page)
		return -ENOMEM;
	memset(probe->page, 0, PAGE);
	memcpy(probe->page, probe_code, sizeof(probe_code));
	slot.userspace_addr = (uint64_t)(uintptr_t)probe->page;
	probe->vcpu = ioctl(probe->vm, KVM_SET_USER_MEMORY_REGION, &slot) ? -1 : ioctl(probe->vm, KVM_CREATE_VCPU, 0);
	if (probe->vcpu < 0)
		return -errno;
	probe->run = mmap(NULL, probe->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, probe->vcpu, 0);
	return probe->run == MAP_FAILED ? -errno : probe_registers(probe);
}

static void probe_release(struct probe *probe)
{
	if (probe->run != MAP_FAILED)
		munmap(probe->run, probe->run_size);
	if (probe->vcpu >= 0)
		close(probe->vcpu);
	if (probe->vm >= 0)
		close(probe->vm);
	free(probe->page); /* the VM that had it is gone */
}

/* 0 if the guest came to its OUT. */
int probe_try(int kvm_fd, uint32_t mask)
{
	int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct probe probe = { -1, -1, NULL, MAP_FAILED, size > 0 ? (size_t)size : 0 };
	int err = probe_build(&probe, kvm_fd, mask);

	if (!err && ioctl(probe.vcpu, KVM_RUN, 0))
		err = -errno;
	if (!err && (probe.run->exit_reason != KVM_EXIT_IO || probe.run->io.port != PROBE_PORT))
		err = -EIO;
	probe_release(&probe);
	return err;
}

int probe_disable_exits(int kvm_fd, uint32_t *mask)
{
	int offered = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_DISABLE_EXITS);
	int err;

	*mask = offered > 0 ? (uint32_t)offered & KVM_X86_DISABLE_VALID_EXITS : 0;
	if (*mask && !probe_try(kvm_fd, *mask))
		return 0;
	if (*mask)
		warn("this host's KVM offers to switch off exits (0x%x) and can't run a guest so; they stay on", *mask);
	*mask = 0;
	err = probe_try(kvm_fd, 0);
	return err ? fail(err, "/dev/kvm: a guest of two instructions doesn't run: %s", strerror(-err)) : 0;
}
