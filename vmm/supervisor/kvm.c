// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define DEV_KVM "/dev/kvm"

struct need {
	int cap;
	const char *name;
};

static const struct need needs[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP" },
	{ KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI" },
	{ KVM_CAP_X2APIC_API, "KVM_CAP_X2APIC_API" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
	{ KVM_CAP_ENFORCE_PV_FEATURE_CPUID, "KVM_CAP_ENFORCE_PV_FEATURE_CPUID" },
	{ KVM_CAP_GET_TSC_KHZ, "KVM_CAP_GET_TSC_KHZ" },
};

static int kvm_refused(int err)
{
	switch (err) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return fail(-err,
			    DEV_KVM ": %s: this kernel has no KVM loaded (modprobe kvm_amd or kvm_intel), or the "
				    "processor's virtualization is off in the firmware",
			    strerror(err));
	case EACCES:
	case EPERM:
		return fail(-err, DEV_KVM ": %s: run as root, or join its group (usually kvm) and log in again",
			    strerror(err));
	default:
		return fail(-err, DEV_KVM ": %s", strerror(err));
	}
}

const char *kvm_lacks(int kvm_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
		if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, needs[i].cap) <= 0)
			return needs[i].name;
	return NULL;
}

static int kvm_check(int fd)
{
	int version = ioctl(fd, KVM_GET_API_VERSION, 0);
	const char *lacking;

	if (version != KVM_API_VERSION)
		return fail(-ENOTTY, DEV_KVM ": not KVM: API version %d, wanted %d", version, KVM_API_VERSION);
	lacking = kvm_lacks(fd);
	if (lacking)
		return fail(-ENOTSUP, DEV_KVM ": this kernel's KVM has no %s: 6.1 or newer is wanted", lacking);
	return 0;
}

int kvm_open(void)
{
	int fd = open(DEV_KVM, O_RDWR | O_CLOEXEC);
	int err;

	if (fd < 0)
		return kvm_refused(errno);
	err = kvm_check(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* A vCPU is asked, of a VM made for the question: older kernels answer only there. */
int kvm_read_tsc_khz(int kvm_fd, uint32_t *khz)
{
	int vm = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	int vcpu, rate, err = 0;

	if (vm < 0)
		return fail(-errno, DEV_KVM ": KVM_CREATE_VM: %s", strerror(errno));
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0) {
		err = fail(-errno, DEV_KVM ": KVM_CREATE_VCPU: %s", strerror(errno));
		goto close_vm;
	}
	rate = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
	if (rate <= 0)
		err = fail(-ENOTSUP, DEV_KVM ": KVM_GET_TSC_KHZ: %d: a TSC of known frequency is wanted", rate);
	else
		*khz = (uint32_t)rate;
	close(vcpu);
close_vm:
	close(vm);
	return err;
}
