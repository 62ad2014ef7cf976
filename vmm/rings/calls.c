// SPDX-License-Identifier: GPL-2.0-only
#include <sys/syscall.h>

#include "base/util.h"
#include "seccomp/rules.h"
#include "vmm/rings/process.h"

static const struct rule rules[] = {
	{ SYS_poll, "wait for anyone, and for the next look at the rings" },
	{ SYS_restart_syscall, "poll, after a stop and continue" },
	{ SYS_recvmsg, "orders of the supervisor's, and clients that it took" },
	{ SYS_recvfrom, "the serial port's bytes, and what was typed" },
	{ SYS_sendto, "to the serial port, to clients, and words to the supervisor" },
	{ SYS_close, "clients that went away" },
	{ SYS_clock_gettime, "the time, where the kernel's vDSO can't tell it" },
	{ SYS_exit_group, "the end, of whatever kind" },
};

const struct rule_table filter_rings = { "rings", ARRAY_SIZE(rules), rules };
