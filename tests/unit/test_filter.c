// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system call filter of the boot phase, replayed: each rule in a child of its own that has the filter on. What is
 * allowed may fail (its arguments are nonsense), what isn't kills.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "seccomp/filter.h"
#include "tests/unit/calls.h"

#define I386_GETPID 20

static int filter_on(int which)
{
	(void)which;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_apply(&filter_boot);
}

static int try_call(const struct call *call)
{
	return child_try(filter_on, 0, call);
}

static int try(long nr, long first, long second, long third)
{
	return try_call(&(struct call){ nr, { first, second, third, NONE } });
}

/* The rule's own call, with something wrong in argument @spoiled, if that is one of its. */
static struct call rule_call(const struct rule *rule, unsigned int spoiled)
{
	struct call call = { rule->nr, { NONE, NONE, NONE, NONE } };

	for (unsigned int i = 0; i < RULE_ARGS; i++)
		if (rule->args[i].used)
			call.args[i] = (rule->args[i].own_pid ? SELF : (long)rule->args[i].value) + (i == spoiled);
	return call;
}

START_TEST(rules_allow)
{
	struct call call = rule_call(&filter_boot.rules[_i], RULE_ARGS);

	/* a signal frame that isn't there, or a filter that isn't one, ends otherwise */
	ck_assert_msg(try_call(&call) != SIGSYS, "\"%s\" is refused", filter_boot.rules[_i].reason);
}
END_TEST

START_TEST(rules_look_at_arguments)
{
	const struct rule *rule = &filter_boot.rules[_i];

	for (unsigned int i = 0; i < RULE_ARGS; i++) {
		struct call call = rule_call(rule, i);

		if (rule->args[i].used)
			ck_assert_msg(try_call(&call) == SIGSYS, "\"%s\" is allowed with another argument %u",
				      rule->reason, i);
	}
}
END_TEST

START_TEST(rules_have_reasons)
{
	for (unsigned int i = 0; i < filter_boot.count; i++)
		ck_assert_uint_gt(strlen(filter_boot.rules[i].reason), 3);
	ck_assert_str_eq(filter_boot.phase, "boot");
}
END_TEST

static bool in_table(long nr)
{
	for (unsigned int i = 0; i < filter_boot.count; i++)
		if (filter_boot.rules[i].nr == nr)
			return true;
	return false;
}

/* Every other system call that there is. exit among them: no thread ends. */
START_TEST(all_others_kill)
{
	for (long nr = 0; nr < LAST_SYSCALL; nr++)
		if (!in_table(nr) && !is_probe(nr))
			ck_assert_msg(try(nr, NONE, NONE, NONE) == SIGSYS, "system call %ld is allowed", nr);
}
END_TEST

static const struct {
	const char *name;
	long command, arg;
	int signal;
} ioctls[] = {
	{ "KVM_RUN", KVM_RUN, 0, 0 },
	{ "KVM_RUN, 1", KVM_RUN, 1, SIGSYS },
	{ "KVM_RUN, 1 in the high half", KVM_RUN, 1L << 32, SIGSYS },
	/* the kernel takes the command as 32 bits: what comes above them changes nothing */
	{ "KVM_RUN, bits above", KVM_RUN | 1L << 32, 0, 0 },
	{ "KVM_RUN, bits above, 1", KVM_RUN | 1L << 32, 1, SIGSYS },
	{ "KVM_SIGNAL_MSI", (long)KVM_SIGNAL_MSI, 0x1000, 0 },
	{ "KVM_CREATE_VM", KVM_CREATE_VM, 0, SIGSYS },
	{ "KVM_CREATE_VCPU", KVM_CREATE_VCPU, 1, SIGSYS },
	{ "KVM_CREATE_DEVICE", (long)KVM_CREATE_DEVICE, 0x1000, SIGSYS },
	{ "KVM_SET_USER_MEMORY_REGION", (long)KVM_SET_USER_MEMORY_REGION, 0x1000, SIGSYS },
	{ "KVM_ENABLE_CAP", (long)KVM_ENABLE_CAP, 0x1000, SIGSYS },
	{ "KVM_SET_REGS", (long)KVM_SET_REGS, 0x1000, SIGSYS },
	{ "KVM_GET_REGS", (long)KVM_GET_REGS, 0x1000, SIGSYS },
	{ "KVM_SET_MSRS", (long)KVM_SET_MSRS, 0x1000, SIGSYS },
	{ "KVM_SET_GUEST_DEBUG", (long)KVM_SET_GUEST_DEBUG, 0x1000, SIGSYS },
	{ "KVM_SET_SIGNAL_MASK", (long)KVM_SET_SIGNAL_MASK, 0x1000, SIGSYS },
	{ "KVM_IRQFD", (long)KVM_IRQFD, 0x1000, SIGSYS },
	{ "KVM_SET_GSI_ROUTING", (long)KVM_SET_GSI_ROUTING, 0x1000, SIGSYS },
	{ "KVM_X86_SET_MSR_FILTER", (long)KVM_X86_SET_MSR_FILTER, 0x1000, 0 },
	{ "PERF_EVENT_IOC_DISABLE", 0x2401, 0, SIGSYS },
	{ "TIOCSTI", 0x5412, 0x1000, SIGSYS },
	{ "TCGETS", 0x5401, 0x1000, SIGSYS },
	{ "FIONBIO", 0x5421, 0x1000, SIGSYS },
	{ "none", 0, 0, SIGSYS },
};

START_TEST(ioctl_commands)
{
	ck_assert_msg(try(SYS_ioctl, NONE, ioctls[_i].command, ioctls[_i].arg) == ioctls[_i].signal, "%s",
		      ioctls[_i].name);
}
END_TEST

static int filter_functions_on(int which)
{
	(void)which;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_apply(&filter_boot_functions);
}

/* With functions: two commands more, and nothing else. */
START_TEST(functions_add_two)
{
	static const struct {
		long command;
		int signal;
	} commands[] = { { (long)KVM_IRQFD, 0 },
			 { (long)KVM_SET_GSI_ROUTING, 0 },
			 { (long)KVM_SIGNAL_MSI, 0 },
			 { (long)KVM_IRQFD + 1, SIGSYS },
			 { (long)KVM_CREATE_DEVICE, SIGSYS },
			 { (long)KVM_SET_DEVICE_ATTR, SIGSYS },
			 { (long)KVM_SET_USER_MEMORY_REGION, SIGSYS } };

	ck_assert_uint_eq(filter_boot_functions.count, filter_boot.count + 2);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct call call = { SYS_ioctl, { NONE, commands[i].command, 0x1000, NONE } };

		ck_assert_int_eq(child_try(filter_functions_on, 0, &call), commands[i].signal);
	}
}
END_TEST

/*
 * The kick is the one signal, and goes to no other process: of a plain user's VM the core manager has its user's
 * number, and who has won it could end all that is that user's, the supervisor first.
 */
START_TEST(signals_itself_alone)
{
	ck_assert_int_eq(try(SYS_tgkill, SELF, NONE, SIGUSR1), 0);
	ck_assert_int_eq(try(SYS_tgkill, getpid(), getpid(), SIGUSR1), SIGSYS);
	ck_assert_int_eq(try(SYS_tgkill, getppid(), getppid(), 0), SIGSYS);
	ck_assert_int_eq(try(SYS_tgkill, SELF, NONE, SIGKILL), SIGSYS);
	ck_assert_int_eq(try(SYS_tgkill, SELF, NONE, SIGSTOP), SIGSYS);
}
END_TEST

/* The same calls by their numbers for x32 programs. */
START_TEST(x32_kills)
{
	static const long numbers[] = { SYS_read, SYS_poll, SYS_sendto, SYS_futex, SYS_exit_group, SYS_getpid, 514 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		ck_assert_msg(try(X32 | numbers[i], NONE, NONE, 0) == SIGSYS, "x32 call %ld is allowed", numbers[i]);
}
END_TEST

/* The 32-bit entry has numbers of its own: 3 is its read and our close. A kernel without it raises SIGSEGV. */
static int try_int80(long nr)
{
	pid_t child = fork();

	if (child == 0) {
		child_begin(filter_on, 0);
		__asm__ volatile("int $0x80" : "+a"(nr) : "b"(NONE), "c"(0), "d"(0) : "memory");
		for (;;)
			syscall(SYS_exit_group, 0);
	}
	return signal_of(child);
}

START_TEST(int80_kills)
{
	static const long numbers[] = { I386_GETPID, SYS_read, SYS_poll, SYS_ioctl, SYS_exit_group, 3, 4, 54, 252 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int sig = try_int80(numbers[i]);

		ck_assert_msg(sig == SIGSYS || sig == SIGSEGV, "32-bit call %ld: signal %d", numbers[i], sig);
	}
}
END_TEST

static atomic_int filtered;

/* Off to a refused call as soon as the filter is on, by another thread's doing. */
static void *thread_run(void *arg)
{
	while (!filtered)
		;
	syscall(SYS_getppid);
	for (;;) /* if that was let pass, the test's alarm ends it */
		syscall(SYS_poll, NULL, 0, 1000);
	return arg;
}

START_TEST(other_threads_too)
{
	pid_t child = fork();

	if (child == 0) {
		pthread_t thread;

		alarm(20);
		if (pthread_create(&thread, NULL, thread_run, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    filter_apply(&filter_boot))
			_exit(EXIT_NO_FILTER);
		filtered = 1;
		for (;;)
			syscall(SYS_poll, NULL, 0, 1000); /* allowed: it's the whole process that is killed */
	}
	ck_assert_int_eq(signal_of(child), SIGSYS);
}
END_TEST

/* What would make all of the above worthless: a child that dies of itself. */
START_TEST(nothing_forbidden_nothing_killed)
{
	ck_assert_int_eq(try(SYS_exit_group, 0, 0, 0), 0);
	ck_assert_int_eq(try(SYS_read, NONE, 0, 0), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("filter");
	TCase *tc = tcase_create("filter");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_forbidden_nothing_killed);
	tcase_add_test(tc, rules_have_reasons);
	tcase_add_loop_test(tc, rules_allow, 0, (int)filter_boot.count);
	tcase_add_loop_test(tc, rules_look_at_arguments, 0, (int)filter_boot.count);
	tcase_add_test(tc, all_others_kill);
	tcase_add_loop_test(tc, ioctl_commands, 0, ARRAY_SIZE(ioctls));
	tcase_add_test(tc, functions_add_two);
	tcase_add_test(tc, signals_itself_alone);
	tcase_add_test(tc, x32_kills);
	tcase_add_test(tc, int80_kills);
	tcase_add_test(tc, other_threads_too);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
