// SPDX-License-Identifier: GPL-2.0-only
/* Which host is looked at, and which of its cores matter. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pinning/pinning.h"
#include "vmm/doctor/internal.h"

#define CPUSETS_ISOLATED "/sys/fs/cgroup/cpuset.cpus.isolated"

static int cores_given(struct doctor *doctor, const unsigned int *cores, unsigned int ncores)
{
	for (unsigned int i = 0; i < ncores; i++) {
		if (cores[i] >= CPU_SETSIZE)
			return fail(-ENODEV, "doctor: core %u: wanted one below %d", cores[i], CPU_SETSIZE);
		CPU_SET(cores[i], &doctor->cores);
	}
	return 0;
}

/* Nobody named any: those that are isolated, at boot or by a partition, or what the host could give. */
static void cores_guess(struct doctor *doctor)
{
	cpu_set_t at_boot, by_partition;

	CPU_ZERO(&at_boot);
	CPU_ZERO(&by_partition);
	list_read(doctor, CPU_ISOLATED, &at_boot);
	list_read(doctor, CPUSETS_ISOLATED, &by_partition);
	CPU_OR(&doctor->cores, &at_boot, &by_partition);
	CPU_AND(&doctor->cores, &doctor->cores, &doctor->online);
	doctor->whose = "isolated";
	if (CPU_COUNT(&doctor->cores))
		return;
	doctor->cores = doctor->online;
	doctor->whose = "all";
	if (CPU_COUNT(&doctor->cores) < 2)
		return;
	CPU_CLR(0, &doctor->cores);
	doctor->whose = "all but CPU 0, as none is isolated";
}

static int cores_find(struct doctor *doctor, const unsigned int *cores, unsigned int ncores)
{
	cpu_set_t both;
	int err = 0;

	doctor->whose = ncores ? "of --cores" : "of the configuration";
	if (!ncores && doctor->vm) {
		cores = doctor->vm->cores;
		ncores = doctor->vm->ncores;
	}
	if (ncores)
		err = cores_given(doctor, cores, ncores);
	else
		cores_guess(doctor);
	CPU_AND(&both, &doctor->online, &doctor->cores);
	CPU_XOR(&doctor->others, &doctor->online, &both);
	return err;
}

int doctor_open(struct doctor *doctor, const char *root, const struct vm_config *vm, const unsigned int *cores,
		unsigned int ncores)
{
	int err;

	*doctor = (struct doctor){ .root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), .kvm = -ENOENT, .vm = vm };
	if (doctor->root < 0)
		return fail(-errno, "doctor: %s: %s", root, strerror(errno));
	/* none is known: no core is online, and every check that asks says so */
	if (list_read(doctor, CPU_ONLINE, &doctor->online))
		CPU_ZERO(&doctor->online);
	err = cores_find(doctor, cores, ncores);
	doctor->kvm = openat(doctor->root, "dev/kvm", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (doctor->kvm < 0)
		doctor->kvm = -errno;
	doctor->module =
		path_exists(doctor, "/sys/module/kvm_intel") || flag_has(doctor, "vmx") == 1 ? "kvm_intel" : "kvm_amd";
	return err;
}

void doctor_close(struct doctor *doctor)
{
	if (doctor->root >= 0)
		close(doctor->root);
	if (doctor->kvm >= 0)
		close(doctor->kvm);
	doctor->root = doctor->kvm = -1;
}
