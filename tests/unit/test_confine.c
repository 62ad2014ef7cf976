// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program may do that reads a hostile image and was won by it: each call in a child of its own that is confined
 * as qemu-img is. That qemu-img itself still works is test_disks.c's.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "disks/internal.h"
#include "tests/unit/calls.h"

#define EXIT_OTHER 98

/* Its exit status: the call's errno. */
static int errno_of(const struct call *call)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int image = open("/tmp", O_TMPFILE | O_RDWR, 0600), target = open("/tmp", O_TMPFILE | O_RDWR, 0600);
		long args[4];

		alarm(20);
		for (unsigned int i = 0; i < 4; i++)
			args[i] = call->args[i] == SELF ? getpid() : call->args[i];
		if (confine_qemu(image, target))
			_exit(EXIT_NO_FILTER);
		errno = 0;
		syscall(call->nr, args[0], args[1], args[2], args[3], NONE, NONE);
		_exit(errno < EXIT_OTHER ? errno : EXIT_OTHER);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), EXIT_NO_FILTER);
	return WEXITSTATUS(status);
}

/* Root's qemu-img is root to every socket's other end, and to every process: its rights are gone, its number isn't. */
static const struct {
	const char *name;
	struct call call;
} refused[] = {
	{ "socket, AF_UNIX", { SYS_socket, { AF_UNIX, SOCK_STREAM, 0, NONE } } },
	{ "socket, AF_NETLINK", { SYS_socket, { AF_NETLINK, SOCK_RAW, 0, NONE } } },
	{ "connect", { SYS_connect, { 0, 0, 0, NONE } } },
	{ "io_uring_setup", { SYS_io_uring_setup, { 1, 0, 0, NONE } } },
	{ "kill, its parent", { SYS_kill, { 1, 0, 0, NONE } } },
	{ "kill, all", { SYS_kill, { NONE, 0, 0, NONE } } },
	{ "tkill", { SYS_tkill, { 1, 0, 0, NONE } } },
	{ "tgkill", { SYS_tgkill, { 1, 1, 0, NONE } } },
	{ "rt_sigqueueinfo", { SYS_rt_sigqueueinfo, { 1, 0, 0, NONE } } },
	{ "pidfd_open", { SYS_pidfd_open, { SELF, 0, 0, NONE } } },
	{ "ptrace", { SYS_ptrace, { 0, 0, 0, 0 } } },
	{ "process_vm_readv", { SYS_process_vm_readv, { SELF, 0, 0, 0 } } },
	{ "setpriority", { SYS_setpriority, { 0, 1, 19, NONE } } },
	{ "prlimit64", { SYS_prlimit64, { 1, 7, 0, 0 } } },
	{ "fcntl, F_SETOWN", { SYS_fcntl, { 3, F_SETOWN, 1, NONE } } },
	{ "clone, as fork", { SYS_clone, { SIGCHLD, 0, 0, 0 } } },
	{ "ioctl", { SYS_ioctl, { 0, 0x5412, 0, NONE } } },	    /* TIOCSTI */
	{ "unshare", { SYS_unshare, { 0x10000000, 0, 0, NONE } } }, /* CLONE_NEWUSER */
	{ "keyctl", { SYS_keyctl, { 0, -3, 0, NONE } } },
	{ "bpf", { SYS_bpf, { 0, 0, 0, NONE } } },
	{ "shmget", { SYS_shmget, { 0, 4096, 0600, NONE } } },
	{ "x32's getpid", { X32 | SYS_getpid, { NONE, NONE, NONE, NONE } } },
};

START_TEST(refuses)
{
	ck_assert_msg(errno_of(&refused[_i].call) == EPERM, "%s is not refused", refused[_i].name);
}
END_TEST

/* What would make all of the above worthless. */
START_TEST(lets_pass)
{
	ck_assert_int_eq(errno_of(&(struct call){ SYS_getpid, { NONE, NONE, NONE, NONE } }), 0);
	ck_assert_int_eq(errno_of(&(struct call){ SYS_eventfd2, { 0, 0, NONE, NONE } }), 0);
	ck_assert_int_eq(errno_of(&(struct call){ SYS_close, { NONE, NONE, NONE, NONE } }), EBADF);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("confine");
	TCase *tc = tcase_create("confine");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, lets_pass);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_SIZE(refused));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
