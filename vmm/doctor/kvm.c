// SPDX-License-Identifier: GPL-2.0-only
/* What /dev/kvm itself says. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/doctor/internal.h"
#include "vmm/supervisor/internal.h"

#define DEV_KVM	     "/dev/kvm"
#define CORE_MANAGER "nohype-core"

void look_device(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	(void)check;
	if (doctor->kvm < 0)
		found(finding, CHECK_BAD, DEV_KVM ": %s", strerror(-doctor->kvm));
	else
		found(finding, CHECK_OK, "opens for reading and writing");
}

/* False: it isn't open, and the finding says so. */
static bool kvm_is_open(const struct doctor *doctor, struct finding *finding)
{
	if (doctor->kvm < 0)
		found_unread(finding, DEV_KVM, doctor->kvm);
	return doctor->kvm >= 0;
}

void look_api(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	const char *lacking;
	int version;

	(void)check;
	if (!kvm_is_open(doctor, finding))
		return;
	version = ioctl(doctor->kvm, KVM_GET_API_VERSION, 0);
	lacking = version == KVM_API_VERSION ? kvm_lacks(doctor->kvm) : NULL;
	if (version != KVM_API_VERSION)
		found(finding, CHECK_BAD, "not KVM: API version %d", version);
	else if (lacking)
		found(finding, CHECK_BAD, "no %s", lacking);
	else
		found(finding, CHECK_OK, "API version %d, all that is needed", version);
}

void look_cap(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	int value;

	if (!kvm_is_open(doctor, finding))
		return;
	value = ioctl(doctor->kvm, KVM_CHECK_EXTENSION, check->cap);
	if (value < 0)
		found_unread(finding, DEV_KVM, -errno);
	else if (value == 0)
		found(finding, CHECK_BAD, "not there");
	else
		found(finding, CHECK_OK, "there (%d)", value);
}

void look_disable_exits(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	static const struct {
		int bit;
		const char *name;
	} bits[] = {
		{ KVM_X86_DISABLE_EXITS_HLT, "HLT" },
		{ KVM_X86_DISABLE_EXITS_MWAIT, "MWAIT" },
		{ KVM_X86_DISABLE_EXITS_PAUSE, "PAUSE" },
		{ KVM_X86_DISABLE_EXITS_CSTATE, "CSTATE" },
	};
	struct names can = { 0 };
	int mask;

	(void)check;
	if (!kvm_is_open(doctor, finding))
		return;
	mask = ioctl(doctor->kvm, KVM_CHECK_EXTENSION, KVM_CAP_X86_DISABLE_EXITS);
	if (mask < 0) {
		found_unread(finding, DEV_KVM, -errno);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (mask & bits[i].bit)
			name_add(&can, "%s", bits[i].name);
	found(finding, can.count == ARRAY_SIZE(bits) ? CHECK_OK : CHECK_BAD, "%s",
	      can.count ? names_end(&can) : "none can be switched off");
}

static void core_manager_find(const struct doctor *doctor, const char *name, void *ctx)
{
	char path[PATH_SIZE], comm[64];
	bool *runs = ctx;

	if (name[0] < '0' || name[0] > '9')
		return;
	snprintf(path, sizeof(path), "/proc/%.32s/comm", name);
	if (value_read(doctor, path, comm, sizeof(comm)) > 0 && strcmp(comm, CORE_MANAGER) == 0)
		*runs = true;
}

/*
 * Making and ending a VM can switch virtualization on and off on every core, and patches the kernel's code: an exit
 * for a silent VM. So not while one runs.
 */
void look_guest(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	bool runs = false;
	int mask, err;

	(void)check;
	if (!kvm_is_open(doctor, finding))
		return;
	entries_each(doctor, "/proc", core_manager_find, &runs);
	if (runs) {
		found(finding, CHECK_NOTE, "not tried: a VM runs here, which making another would interrupt");
		return;
	}
	mask = ioctl(doctor->kvm, KVM_CHECK_EXTENSION, KVM_CAP_X86_DISABLE_EXITS);
	mask = mask > 0 ? mask & KVM_X86_DISABLE_VALID_EXITS : 0;
	err = probe_try(doctor->kvm, (uint32_t)mask);
	if (!err)
		found(finding, CHECK_OK, "ran");
	else if (!mask || probe_try(doctor->kvm, 0))
		found(finding, CHECK_BAD, "doesn't run: %s", strerror(-err));
	else
		found(finding, CHECK_WARN, "runs only with those exits on, though the host offers to switch them off");
}

void look_kvm_user(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct stat st;

	(void)check;
	if (fstatat(doctor->root, "dev/kvm", &st, 0))
		found_unread(finding, DEV_KVM, -errno);
	else
		found(finding, st.st_mode & S_IWOTH ? CHECK_BAD : CHECK_OK, "mode %04o", st.st_mode & 07777);
}
