// SPDX-License-Identifier: GPL-2.0-only
/* KVM's modules and their parameters, and what the seal needs of the kernel besides. */
#include <cpuid.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vmm/doctor/internal.h"

#define PARAMETERS  "/sys/module/kvm/parameters/"
#define TRACEPOINT  "/sys/kernel/tracing/events/kvm/kvm_exit/id"
#define ITLB	    "/sys/devices/system/cpu/vulnerabilities/itlb_multihit"
#define HYPERVISOR  (1u << 31) /* CPUID 1, ECX: set by hypervisors (Linux: X86_FEATURE_HYPERVISOR) */
#define KERNEL_WANT 6, 1

void look_module(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	bool amd = path_exists(doctor, "/sys/module/kvm_amd"), intel = path_exists(doctor, "/sys/module/kvm_intel");

	(void)check;
	if (amd || intel)
		found(finding, CHECK_OK, "%s", amd ? "kvm_amd" : "kvm_intel");
	else
		found(finding, CHECK_BAD, "neither kvm_amd nor kvm_intel is loaded");
}

/* Its number is another after each boot. */
void look_tracepoint(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	long long id = 0;
	int err = number_read(doctor, TRACEPOINT, &id);

	(void)check;
	if (err == -ENOENT)
		found(finding, CHECK_BAD, TRACEPOINT ": not there: no tracefs, or no KVM");
	else if (err)
		found_unread(finding, TRACEPOINT, err);
	else
		found(finding, CHECK_OK, "there");
}

/*
 * The tripwire's own kind of event, but on no tracepoint: what is asked is whether this kernel has sigtrap (5.13) and
 * lets this user have an event that sees the kernel.
 */
void look_sigtrap(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_period = 1,
		.disabled = 1,
		.sigtrap = 1,
		.remove_on_exec = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	(void)doctor;
	(void)check;
	if (fd < 0) {
		found(finding, CHECK_BAD, "refused: %s", strerror(errno));
		return;
	}
	found(finding, CHECK_OK, "may be had");
	close(fd);
}

void look_kernel(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	const unsigned int want[] = { KERNEL_WANT };
	unsigned int major, minor;
	struct utsname name;

	(void)doctor;
	(void)check;
	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		found(finding, CHECK_UNKNOWN, "uname: no kernel version");
	else
		found(finding, major > want[0] || (major == want[0] && minor >= want[1]) ? CHECK_OK : CHECK_BAD,
		      "Linux %s", name.release);
}

/* Where the processor has that erratum, splitting huge pages is what guards against it. */
void look_nx_huge_pages(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char value[64], erratum[256];
	ssize_t len = value_read(doctor, check->source, value, sizeof(value));
	bool off = strcmp(value, "N") == 0 || strcmp(value, "never") == 0;

	if (len < 0) {
		found_unread(finding, check->source, (int)len);
		return;
	}
	len = value_read(doctor, ITLB, erratum, sizeof(erratum));
	if (!off)
		found(finding, CHECK_BAD, "%s: huge pages are split where the guest executes", value);
	else if (len > 0 && strncmp(erratum, "Not affected", strlen("Not affected")) != 0)
		found(finding, CHECK_WARN, "%s, and this processor has iTLB multihit: a guest can stop the host",
		      value);
	else
		found(finding, CHECK_OK, "%s", value);
}

void look_virt_at_load(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	if (path_exists(doctor, PARAMETERS "halt_poll_ns") && !path_exists(doctor, check->source))
		found(finding, CHECK_BAD,
		      "no such switch before Linux 6.12: the first VM and the last interrupt all cores");
	else
		look_value(doctor, check, finding);
}

/* Of kvm itself, which some kernels don't have: to be told from a kvm that isn't loaded. */
void look_kvm_param(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	if (path_exists(doctor, "/sys/module/kvm"))
		look_value(doctor, check, finding);
	else
		found_unread(finding, check->source, -ENOENT);
}

void look_unrestricted(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	if (strcmp(doctor->module, "kvm_amd") == 0)
		found(finding, CHECK_OK, "AMD has no such switch");
	else
		look_value(doctor, check, finding);
}

/* A processor of AMD's says in its flags whether it has AVIC; for Intel's only the module knows. */
void look_apicv(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	look_value(doctor, check, finding);
	if (finding->status == CHECK_BAD && flag_has(doctor, "svm") == 1 && flag_has(doctor, "avic") == 0)
		found(finding, CHECK_BAD, "N: this processor has no AVIC");
}

/* Polling begins at a HLT that comes to KVM. */
void look_halt_poll(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char text[64];

	look_value(doctor, check, finding);
	if (finding->status == CHECK_BAD && value_read(doctor, check->source, text, sizeof(text)) > 0)
		found(finding, CHECK_NOTE, "%s: of no effect while HLT causes no exit", text);
}

/* AMD's AVIC does IPIs by itself where no switch says otherwise (newer kernels have one, for an erratum). */
void look_ipiv(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	if (path_exists(doctor, "/sys/module/kvm_amd/parameters/avic") &&
	    !path_exists(doctor, "/sys/module/kvm_amd/parameters/enable_ipiv"))
		found(finding, CHECK_NOTE, "no switch of its own in this kvm_amd: as kvm.apicv");
	else
		look_value(doctor, check, finding);
}

void look_bare_metal(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	unsigned int eax, ebx, ecx = 0, edx;

	(void)doctor;
	(void)check;
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		found(finding, CHECK_UNKNOWN, "no CPUID leaf 1");
	else if (ecx & HYPERVISOR)
		found(finding, CHECK_BAD,
		      "this host is a VM itself: what its own hypervisor does isn't seen from here");
	else
		found(finding, CHECK_OK, "no hypervisor below this host");
}
