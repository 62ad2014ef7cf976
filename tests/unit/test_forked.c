// SPDX-License-Identifier: GPL-2.0-only
/* What a forked process keeps of its parent's, and whose a lock is that outlives who took it. */
#include <check.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/forked.h"
#include "base/util.h"

#define MANY 40

/* Which of MANY fds a process has that kept those two: their number, and whether they are those. */
static void keeps(int first, int second)
{
	int fds[2] = { first, second }, status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		int wrong = 0;

		for (int fd = 3; fd < MANY; fd++)
			dup2(STDERR_FILENO, fd);
		forked_keep(fds, ARRAY_SIZE(fds));
		for (int fd = 0; fd < MANY; fd++)
			wrong += (fcntl(fd, F_GETFD) >= 0) != (fd < 3 || fd == first || fd == second);
		_exit(wrong);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(only_what_is_named_is_kept)
{
	keeps(-1, -1);
	keeps(3, -1);
	keeps(-1, MANY - 1);
	keeps(3, 4);
	keeps(20, 10);
	keeps(7, 7);
}
END_TEST

static char path[] = "/tmp/test-forked-XXXXXX";

static int record_open(void)
{
	return open(path, O_RDWR | O_CLOEXEC);
}

/* One that locks the record, has a child that lives @ms longer than it, and dies when it is killed. */
static pid_t holder_start(int ms)
{
	pid_t pid = fork(), parent;
	int fd;

	if (pid)
		return pid;
	parent = getpid();
	fd = record_open();
	if (flock(fd, LOCK_EX) || fork() < 0)
		_exit(1);
	if (getpid() == parent)
		for (;;)
			pause();
	while (getppid() == parent)
		poll(NULL, 0, 1);
	poll(NULL, 0, ms);
	_exit(0);
}

START_TEST(a_lock_is_waited_for_once_its_holder_is_dead)
{
	int fd = mkstemp(path), tries = 1000;
	pid_t pid = holder_start(300);
	siginfo_t end;

	while (!flock(fd, LOCK_EX | LOCK_NB) && tries--) { /* until it has it */
		flock(fd, LOCK_UN);
		poll(NULL, 0, 1);
	}
	ck_assert_int_eq(forked_lock(fd, pid), -EWOULDBLOCK);
	kill(pid, SIGKILL);
	/* not reaped, as by a nohyped that is busy */
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(forked_lock(fd, pid), 0);
	flock(fd, LOCK_UN);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(forked_lock(fd, pid), 0);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forked");
	TCase *tc = tcase_create("forked");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, only_what_is_named_is_kept);
	tcase_add_test(tc, a_lock_is_waited_for_once_its_holder_is_dead);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
