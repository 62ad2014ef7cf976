// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "devices/ports.h"
#include "rings/rings.h"
#include "vmm/core/core.h"
#include "vmm/x86/x86.h"

/* VMX without unrestricted guest mode needs four pages of its own; SVM and newer VMX take the call and ignore it. */
#define TSS_PAGES	  0xfffbd000
#define IDENTITY_MAP_PAGE 0xfffbc000ULL

static int vm_ioctl(const struct vm *vm, unsigned long request, void *arg, const char *what)
{
	if (ioctl(vm->fd, request, arg) < 0)
		return fail(-errno, "%s: %s", what, strerror(errno));
	return 0;
}

/* All of @fd, which is closed. NULL: reported. */
static void *memory_take(int fd, size_t size)
{
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (host == MAP_FAILED) {
		fail(-errno, "map guest memory: %s", strerror(errno));
		return NULL;
	}
	/* Every page in our own tables, writable: KVM can only map what is there. */
	if (madvise(host, size, MADV_POPULATE_WRITE)) {
		fail(-errno, "populate guest memory: %s", strerror(errno));
		return NULL;
	}
	if (madvise(host, size, MADV_DONTDUMP) || madvise(host, size, MADV_DONTFORK)) {
		fail(-errno, "keep guest memory out of dumps: %s", strerror(errno));
		return NULL;
	}
	close(fd);
	return host;
}

static int vm_map_memory(struct vm *vm)
{
	vm->memory = memory_take(vm->memory_fd, vm->handoff.layout.size);
	if (!vm->memory)
		return -ENOMEM;
	/* As far as the limit goes; the supervisor reads back how much is. Huge pages stay without. */
	mlock(vm->memory, vm->handoff.layout.size);
	return 0;
}

/* Memory like the other, but that another process maps too. Nothing here looks into it. */
static int vm_add_rings(const struct vm *vm)
{
	struct kvm_userspace_memory_region slot = {
		.slot = vm->handoff.layout.count,
		.guest_phys_addr = RINGS_BASE,
		.memory_size = RINGS_SIZE,
	};
	void *host;

	if (!vm->handoff.rings)
		return 0;
	host = memory_take(vm->rings_fd, RINGS_SIZE);
	if (!host)
		return -ENOMEM;
	slot.userspace_addr = (uint64_t)(uintptr_t)host;
	return vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");
}

static int vm_add_slots(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->handoff.layout.count; i++) {
		const struct memory_range *range = &vm->handoff.layout.ranges[i];
		struct kvm_userspace_memory_region slot = {
			.slot = i,
			.guest_phys_addr = range->gpa,
			.memory_size = range->size,
			.userspace_addr = (uint64_t)(uintptr_t)(vm->memory + range->offset),
		};
		int err = vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");

		if (err)
			return err;
	}
	return 0;
}

/* The kernel's part of the interrupt hardware is the local APICs alone: no PIC, no PIT, no I/O APIC in the kernel. */
static int vm_split_irqchip(struct vm *vm)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP };
	struct kvm_enable_cap x2apic = { .cap = KVM_CAP_X2APIC_API,
					 .args[0] = KVM_X2APIC_API_USE_32BIT_IDS |
						    KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK };
	int err = vm_ioctl(vm, KVM_ENABLE_CAP, &split, "KVM_CAP_SPLIT_IRQCHIP");

	return err ? err : vm_ioctl(vm, KVM_ENABLE_CAP, &x2apic, "KVM_CAP_X2APIC_API");
}

/* Before the first vCPU: intercepts are chosen when a vCPU is made. The supervisor has seen that this host can. */
static int vm_disable_exits(struct vm *vm)
{
	struct kvm_enable_cap disable = { .cap = KVM_CAP_X86_DISABLE_EXITS, .args[0] = vm->handoff.disable_exits };

	if (!vm->handoff.disable_exits)
		return 0;
	return vm_ioctl(vm, KVM_ENABLE_CAP, &disable, "KVM_CAP_X86_DISABLE_EXITS");
}

/* Before the jail closes: an MSR that a filter denies shall come to user space. Nothing is denied yet. */
static int vm_report_msrs(struct vm *vm)
{
	struct kvm_enable_cap report = { .cap = KVM_CAP_X86_USER_SPACE_MSR, .args[0] = KVM_MSR_EXIT_REASON_FILTER };

	return vm_ioctl(vm, KVM_ENABLE_CAP, &report, "KVM_CAP_X86_USER_SPACE_MSR");
}

static int vcpu_shape(const struct vm *vm, struct vcpu *vcpu, const struct cpuid_table *supported)
{
	struct kvm_enable_cap enforce = { .cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID, .args[0] = 1 };
	struct cpuid_table table = *supported;
	int err = cpuid_shape(&table, vcpu->id, vm->handoff.vcpus);

	if (err)
		return err;
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, &table.head))
		return fail(-errno, "KVM_SET_CPUID2: %s", strerror(errno));
	if (ioctl(vcpu->fd, KVM_ENABLE_CAP, &enforce))
		return fail(-errno, "KVM_CAP_ENFORCE_PV_FEATURE_CPUID: %s", strerror(errno));
	return msrs_set_boot(vcpu->fd);
}

/* KVM's counters of the VM or of a vCPU: readable from another process, and only readable. */
static int stats_open(int of)
{
	int fd = ioctl(of, KVM_GET_STATS_FD, NULL);

	return fd < 0 ? fail(-errno, "KVM_GET_STATS_FD: %s", strerror(errno)) : fd;
}

int vm_hand_over(const struct vm *vm)
{
	int fd = stats_open(vm->fd);

	if (fd < 0)
		return fd;
	event_send_fds(EVENT_VM, 0, 0, &fd, 1);
	close(fd);
	return 0;
}

/* With the vCPU itself, of which the supervisor can do no more than look at struct kvm_run: it isn't its VM. */
int vcpu_hand_over(const struct vcpu *vcpu)
{
	int fds[] = { stats_open(vcpu->fd), vcpu->fd };

	if (fds[0] < 0)
		return fds[0];
	event_send_fds(EVENT_VCPU, vcpu->id, (uint64_t)vcpu->tid, fds, 2);
	close(fds[0]);
	return 0;
}

static int vcpu_create(struct vm *vm, unsigned int id, const struct cpuid_table *supported)
{
	struct vcpu *vcpu = &vm->vcpus[id];

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0)
		return fail(-errno, "vCPU %u: KVM_CREATE_VCPU: %s", id, strerror(errno));
	vcpu->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		return fail(-errno, "vCPU %u: map its run page: %s", id, strerror(errno));
	return vcpu_shape(vm, vcpu, supported);
}

static int vcpus_create(struct vm *vm)
{
	struct cpuid_table supported;
	int size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	int err = cpuid_read_supported(vm->kvm_fd, &supported);

	if (err)
		return err;
	if (size < (int)sizeof(struct kvm_run))
		return fail(-EINVAL, "KVM_GET_VCPU_MMAP_SIZE: %d: too small", size);
	vm->run_size = (size_t)size;
	for (unsigned int i = 0; i < vm->handoff.vcpus; i++) {
		err = vcpu_create(vm, i, &supported);
		if (err)
			return err;
	}
	if (vm->handoff.touch_step) {
		err = pages_touch(vm->vcpus[0].fd, vm->vcpus[0].run, vm->memory, &vm->handoff.layout,
				  vm->handoff.touch_step);
		if (err)
			return err;
	}
	return regs_set_entry(vm->vcpus[0].fd, &vm->handoff.entry);
}

int vm_create(struct vm *vm)
{
	uint64_t identity_map = IDENTITY_MAP_PAGE;
	int err;

	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return fail(-errno, "KVM_CREATE_VM: %s", strerror(errno));
	err = vm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map, "KVM_SET_IDENTITY_MAP_ADDR");
	if (err)
		return err;
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_PAGES))
		return fail(-errno, "KVM_SET_TSS_ADDR: %s", strerror(errno));
	err = vm_split_irqchip(vm);
	if (err)
		return err;
	err = vm_disable_exits(vm);
	if (err)
		return err;
	err = vm_report_msrs(vm);
	if (err)
		return err;
	err = vm_map_memory(vm);
	if (err)
		return err;
	err = vm_add_slots(vm);
	if (err)
		return err;
	err = vm_add_rings(vm);
	if (err)
		return err;
	err = functions_map(vm, vm->handoff.layout.count + vm->handoff.rings);
	if (err)
		return err;
	err = vcpus_create(vm);
	if (err)
		return err;
	close(vm->kvm_fd);
	err = vm_hand_over(vm);
	if (err)
		return err;
	host_init(vm);
	return devices_create(&vm->devices, &vm->host);
}
