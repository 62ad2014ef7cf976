// SPDX-License-Identifier: GPL-2.0-only
#include "seccomp/filter.h"

#include <linux/kvm.h>
#include <sys/syscall.h>

#include "base/util.h"

/* ioctl's command is an unsigned int to the kernel, so its high half says nothing. */
#define COMMAND(number)                                     \
	{                                                   \
		.used = 1, .low_word = 1, .value = (number) \
	}
#define ANY       \
	{         \
		0 \
	}
#define EQUAL(number)                        \
	{                                    \
		.used = 1, .value = (number) \
	}

static const struct rule rules[] = {
	{ SYS_ioctl, "run a vCPU", { ANY, COMMAND(KVM_RUN), EQUAL(0) } },
	{ SYS_ioctl, "the serial port's interrupt", { ANY, COMMAND(KVM_SIGNAL_MSI) } },
	{ SYS_poll, "console input, and whether the supervisor lives" },
	{ SYS_restart_syscall, "poll, after a stop and continue" },
	{ SYS_read, "console input" },
	{ SYS_sendto, "console output, and events to the supervisor" },
	{ SYS_futex, "the device lock" },
	{ SYS_exit_group, "the end, of whatever kind" },
};

const struct rule_table filter_boot = { "boot", ARRAY_SIZE(rules), rules };
