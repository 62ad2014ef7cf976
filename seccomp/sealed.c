// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kvm.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "seccomp/filter.h"
#include "seccomp/rules.h"

void filter_sealed_vcpu(struct rule_table *table, struct rule rules[FILTER_SEALED_RULES], int vcpu_fd)
{
	const struct rule run = { SYS_ioctl,
				  "run this thread's vCPU",
				  { EQUAL((uint32_t)vcpu_fd), EQUAL(KVM_RUN), EQUAL(0) } };
	const struct rule end = { SYS_exit_group, "the guest ended" };

	rules[0] = run;
	rules[1] = end;
	*table = (struct rule_table){ "sealed vCPU", 2, rules };
}

static const struct rule main_rules[] = {
	{ SYS_poll, "wait for the supervisor's end" },
	{ SYS_restart_syscall, "poll, after a stop and continue" },
	{ SYS_exit_group, "the supervisor ended" },
};

const struct rule_table filter_sealed_main = { "sealed main", ARRAY_SIZE(main_rules), main_rules };
