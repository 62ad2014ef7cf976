// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system call filters of a sealed VM, replayed: each call in a child of its own that has the filter on. What is
 * allowed may fail (its arguments are nonsense), what isn't kills.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <linux/filter.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "seccomp/filter.h"
#include "tests/unit/calls.h"

#define HIGH	    (1L << 32)
#define VCPU_FD	    700 /* not open: KVM_RUN on it is allowed and fails */
#define ENTRIES_MAX 3

enum who { VCPU, MAIN };

static void table_of(enum who who, struct rule_table *table, struct rule rules[FILTER_SEALED_RULES])
{
	if (who == VCPU)
		filter_sealed_vcpu(table, rules, VCPU_FD);
	else
		*table = filter_sealed_main;
}

static int filter_on(int who)
{
	struct rule rules[FILTER_SEALED_RULES];
	struct rule_table table;
	struct sock_fprog prog;

	table_of((enum who)who, &table, rules);
	return filter_build(&table, &prog) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_put(&prog);
}

static int try(enum who who, long nr, long first, long second, long third)
{
	const struct call call = { nr, { first, second, third, NONE } };

	return child_try(filter_on, (int)who, &call);
}

/* What would make all of the rest worthless: a child that dies of itself. */
START_TEST(allowed)
{
	ck_assert_int_eq(try(VCPU, SYS_ioctl, VCPU_FD, KVM_RUN, 0), 0);
	ck_assert_int_eq(try(VCPU, SYS_exit_group, 0, 0, 0), 0);
	ck_assert_int_eq(try(MAIN, SYS_poll, 0, 0, 0), 0);
	ck_assert_int_eq(try(MAIN, SYS_restart_syscall, 0, 0, 0), 0);
	ck_assert_int_eq(try(MAIN, SYS_exit_group, 0, 0, 0), 0);
}
END_TEST

START_TEST(tables_are_short)
{
	struct rule rules[FILTER_SEALED_RULES];
	struct rule_table table;

	table_of((enum who)_i, &table, rules);
	ck_assert_uint_le(table.count, ENTRIES_MAX);
	for (unsigned int i = 0; i < table.count; i++)
		ck_assert_uint_gt(strlen(table.rules[i].reason), 3);
}
END_TEST

/* By number alone: ioctl isn't among them, since the arguments here are none of its. */
static bool may(enum who who, long nr)
{
	if (who == MAIN && (nr == SYS_poll || nr == SYS_restart_syscall))
		return true;
	return nr == SYS_exit_group;
}

START_TEST(all_others_kill)
{
	for (long nr = 0; nr < LAST_SYSCALL; nr++) {
		int sig = try((enum who)_i, nr, NONE, NONE, NONE);

		if (is_probe(nr) && sig != SIGSYS)
			continue;
		ck_assert_msg(sig == (may((enum who)_i, nr) ? 0 : SIGSYS), "system call %ld: signal %d", nr, sig);
	}
}
END_TEST

static const struct {
	const char *name;
	long fd, command, arg;
} ioctls[] = {
	{ "another fd", VCPU_FD + 1, KVM_RUN, 0 },
	{ "fd 0", 0, KVM_RUN, 0 },
	{ "fd -1", NONE, KVM_RUN, 0 },
	{ "a bit above the fd", VCPU_FD | HIGH, KVM_RUN, 0 },
	{ "a bit above the command", VCPU_FD, KVM_RUN | HIGH, 0 },
	{ "bits above the command, as of an int", VCPU_FD, (long)(KVM_RUN | 0xffffffff00000000), 0 },
	{ "an argument", VCPU_FD, KVM_RUN, 1 },
	{ "an argument in the high half", VCPU_FD, KVM_RUN, HIGH },
	{ "no command", VCPU_FD, 0, 0 },
	{ "the command before", VCPU_FD, KVM_RUN - 1, 0 },
	{ "the command after", VCPU_FD, KVM_RUN + 1, 0 },
	{ "KVM_GET_REGS", VCPU_FD, (long)KVM_GET_REGS, 0 },
	{ "KVM_SET_REGS", VCPU_FD, (long)KVM_SET_REGS, 0 },
	{ "KVM_SET_MSRS", VCPU_FD, (long)KVM_SET_MSRS, 0 },
	{ "KVM_SET_SIGNAL_MASK", VCPU_FD, (long)KVM_SET_SIGNAL_MASK, 0 },
	{ "KVM_SET_GUEST_DEBUG", VCPU_FD, (long)KVM_SET_GUEST_DEBUG, 0 },
	{ "KVM_GET_STATS_FD", VCPU_FD, KVM_GET_STATS_FD, 0 },
	{ "KVM_X86_SET_MSR_FILTER", VCPU_FD, (long)KVM_X86_SET_MSR_FILTER, 0 },
	{ "KVM_CREATE_VM", VCPU_FD, KVM_CREATE_VM, 0 },
	{ "PERF_EVENT_IOC_DISABLE", VCPU_FD, 0x2401, 0 },
	{ "PERF_EVENT_IOC_SET_FILTER", VCPU_FD, 0x40082406, 0 },
};

START_TEST(one_ioctl_alone)
{
	ck_assert_msg(try(VCPU, SYS_ioctl, ioctls[_i].fd, ioctls[_i].command, ioctls[_i].arg) == SIGSYS, "%s",
		      ioctls[_i].name);
}
END_TEST

/* The main thread runs no vCPU. */
START_TEST(main_has_no_ioctl)
{
	ck_assert_int_eq(try(MAIN, SYS_ioctl, VCPU_FD, KVM_RUN, 0), SIGSYS);
	ck_assert_int_eq(try(MAIN, SYS_ioctl, 0, 0, 0), SIGSYS);
}
END_TEST

/* The same calls by their numbers for x32 programs: 514 is its ioctl. */
START_TEST(x32_kills)
{
	static const long numbers[] = { SYS_ioctl, SYS_exit_group, SYS_poll, SYS_restart_syscall, SYS_read, 514 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		ck_assert_msg(try((enum who)_i, X32 | numbers[i], VCPU_FD, KVM_RUN, 0) == SIGSYS,
			      "x32 call %ld is allowed", numbers[i]);
}
END_TEST

/* Bits above the number: the kernel takes the low 32 as the number, and the filter sees these alone too. */
START_TEST(high_number)
{
	ck_assert_int_eq(try((enum who)_i, SYS_read | HIGH, NONE, 0, 0), SIGSYS);
	ck_assert_int_eq(try((enum who)_i, NONE, NONE, 0, 0), SIGSYS);
}
END_TEST

/* The 32-bit entry has numbers of its own: 54 is its ioctl, 252 its exit_group. A kernel without it raises SIGSEGV. */
static int try_int80(enum who who, long nr)
{
	pid_t child = fork();

	if (child == 0) {
		child_begin(filter_on, (int)who);
		__asm__ volatile("int $0x80" : "+a"(nr) : "b"(VCPU_FD), "c"(KVM_RUN), "d"(0) : "memory");
		for (;;)
			syscall(SYS_exit_group, 0);
	}
	return signal_of(child);
}

START_TEST(int80_kills)
{
	static const long numbers[] = { 0, 1, 3, 4, SYS_ioctl, 20, 54, 168, SYS_exit_group, 252 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int sig = try_int80((enum who)_i, numbers[i]);

		ck_assert_msg(sig == SIGSYS || sig == SIGSEGV, "32-bit call %ld: signal %d", numbers[i], sig);
	}
}
END_TEST

/* As in a sealed core manager: the filter of boot lies below, and both must allow a call. */
START_TEST(on_top_of_boot)
{
	pid_t child = fork();

	if (child == 0) {
		struct rule rules[FILTER_SEALED_RULES];
		struct rule_table table;
		struct sock_fprog prog;

		alarm(20);
		table_of((enum who)_i, &table, rules);
		if (filter_build(&table, &prog) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    filter_apply(&filter_boot) || filter_put(&prog))
			syscall(SYS_exit_group, EXIT_NO_FILTER);
		if (_i == VCPU)
			syscall(SYS_ioctl, VCPU_FD, KVM_RUN, 0);
		else
			syscall(SYS_poll, NULL, 0, 0);
		for (;;)
			syscall(SYS_exit_group, 0);
	}
	ck_assert_int_eq(signal_of(child), 0);
}
END_TEST

/* Of the boot phase's calls none but the table's is left. */
START_TEST(boot_is_over)
{
	for (unsigned int i = 0; i < filter_boot.count; i++) {
		long nr = filter_boot.rules[i].nr;
		int sig = try((enum who)_i, nr, 0, 0, 0);

		ck_assert_msg(sig == (may((enum who)_i, nr) ? 0 : SIGSYS), "\"%s\": signal %d",
			      filter_boot.rules[i].reason, sig);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter_sealed");
	TCase *tc = tcase_create("filter_sealed");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, allowed);
	tcase_add_loop_test(tc, tables_are_short, VCPU, MAIN + 1);
	tcase_add_loop_test(tc, all_others_kill, VCPU, MAIN + 1);
	tcase_add_loop_test(tc, one_ioctl_alone, 0, ARRAY_SIZE(ioctls));
	tcase_add_test(tc, main_has_no_ioctl);
	tcase_add_loop_test(tc, x32_kills, VCPU, MAIN + 1);
	tcase_add_loop_test(tc, high_number, VCPU, MAIN + 1);
	tcase_add_loop_test(tc, int80_kills, VCPU, MAIN + 1);
	tcase_add_loop_test(tc, on_top_of_boot, VCPU, MAIN + 1);
	tcase_add_loop_test(tc, boot_is_over, VCPU, MAIN + 1);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
