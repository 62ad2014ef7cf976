/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SECCOMP_FILTER_H
#define SECCOMP_FILTER_H

#include <stdint.h>

/*
 * The system calls that the core manager may make, one table a phase. What no rule allows kills the process. Each rule
 * carries its reason, and tests/unit/test_filter.c replays the tables rule by rule.
 */
#define RULE_ARGS 3

struct rule_arg {
	uint32_t used;	   /* 0: any value */
	uint32_t low_word; /* compare the low 32 bits alone: what the kernel takes as an int */
	uint32_t own_pid;  /* with the number of the process that builds the filter, and not with value */
	uint64_t value;
};

struct rule {
	int nr;
	const char *reason;
	struct rule_arg args[RULE_ARGS]; /* all that are used must equal */
};

struct rule_table {
	const char *phase;
	unsigned int count;
	const struct rule *rules;
};

/* From the moment the vCPU threads are there until the seal: every thread. */
extern const struct rule_table filter_boot;
extern const struct rule_table filter_boot_functions; /* of a VM that has PCI functions of the host's */

/*
 * After the seal. A vCPU's thread may run its own vCPU, whose fd is @vcpu_fd, and end; the main thread may see whether
 * the supervisor lives, and end.
 */
#define FILTER_SEALED_RULES 3
void filter_sealed_vcpu(struct rule_table *table, struct rule rules[FILTER_SEALED_RULES], int vcpu_fd);
extern const struct rule_table filter_sealed_main;

/* Build @table's filter into memory (malloced), to be put on later by filter_put. Negative errno, reported. */
struct sock_fprog;
int filter_build(const struct rule_table *table, struct sock_fprog *prog);

/* Put a built filter on the calling thread alone: no way back. Allocates nothing. Negative errno, not reported. */
int filter_put(const struct sock_fprog *prog);

/*
 * Build @table's filter and put it on every thread of this process (SECCOMP_FILTER_FLAG_TSYNC): no way back. Needs
 * PR_SET_NO_NEW_PRIVS. Allocates while it builds. Negative errno, reported.
 */
int filter_apply(const struct rule_table *table);

#endif
