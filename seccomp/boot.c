// SPDX-License-Identifier: GPL-2.0-only
#include "seccomp/filter.h"

#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "seccomp/rules.h"
#include "vmm/x86/kvm_newer.h"

static const struct rule rules[] = {
	{ SYS_ioctl, "run a vCPU", { ANY, COMMAND(KVM_RUN), EQUAL(0) } },
	{ SYS_ioctl, "the serial port's interrupt", { ANY, COMMAND(KVM_SIGNAL_MSI) } },
	{ SYS_ioctl, "the seal: map all memory", { ANY, COMMAND(KVM_PRE_FAULT_MEMORY) } },
	{ SYS_ioctl, "the seal: deny MSRs", { ANY, COMMAND(KVM_X86_SET_MSR_FILTER) } },
	{ SYS_close, "the seal: what is not needed after it" },
	{ SYS_recvmsg, "the seal: the tripwires" },
	{ SYS_getpid, "the seal: stop the vCPUs" },
	{ SYS_tgkill, "the seal: stop the vCPUs", { OWN_PID, ANY, SIGNAL(SIGUSR1) } },
	{ SYS_rt_sigreturn, "the seal: stop the vCPUs" },
	{ SYS_seccomp, "the seal: the last filters", { EQUAL(SECCOMP_SET_MODE_FILTER), EQUAL(0) } },
	{ SYS_poll, "console input, and whether the supervisor lives" },
	{ SYS_restart_syscall, "poll, after a stop and continue" },
	{ SYS_read, "console input" },
	{ SYS_sendto, "console output, and events to the supervisor" },
	{ SYS_futex, "the device lock" },
	{ SYS_clock_gettime, "the guest's clock, where the kernel's vDSO can't tell the time" },
	{ SYS_exit_group, "the end, of whatever kind" },
	/* from here on: with functions alone */
	{ SYS_ioctl, "a function's interrupts: where they go", { ANY, COMMAND(KVM_SET_GSI_ROUTING) } },
	{ SYS_ioctl, "a function's interrupts: by which eventfd", { ANY, COMMAND(KVM_IRQFD) } },
};

#define OF_FUNCTIONS 2

const struct rule_table filter_boot = { "boot", ARRAY_SIZE(rules) - OF_FUNCTIONS, rules };
const struct rule_table filter_boot_functions = { "boot with functions", ARRAY_SIZE(rules), rules };
