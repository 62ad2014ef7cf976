// SPDX-License-Identifier: GPL-2.0-only
/* Messages with fds: what comes, and what too many or too much of it looks like. */
#include <check.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"

static int ends[2], pass[FD_PASS_MAX + 1];

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pass); i++)
		pass[i] = dup(ends[0]);
}

START_TEST(as_many_as_were_sent)
{
	char text[4] = "";
	int fds[FD_PASS_MAX];

	ck_assert_int_eq(fd_send(ends[0], "abc", 4, pass, (size_t)_i, 0), 0);
	ck_assert_int_eq(fd_receive(ends[1], text, 4, fds, FD_PASS_MAX, 0), 4);
	ck_assert_str_eq(text, "abc");
	for (int i = 0; i < FD_PASS_MAX; i++) {
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), i < _i ? FD_CLOEXEC : -1);
		fd_close(&fds[i]);
		ck_assert_int_eq(fds[i], -1);
	}
}
END_TEST

/* The ones that are too many are not let in, also not where padding has room for one. */
START_TEST(more_than_wanted)
{
	int fds[FD_PASS_MAX] = { -1, -1, -1 }, next = dup(0);
	char text[4];

	close(next);
	ck_assert_int_eq(fd_send(ends[0], "abc", 4, pass, (size_t)_i + 1, 0), 0);
	ck_assert_int_eq(fd_receive(ends[1], text, 4, fds, (size_t)_i, 0), 5);
	for (int i = 0; i < _i; i++)
		ck_assert_int_eq(fds[i], next + i);
	ck_assert_int_eq(fcntl(next + _i, F_GETFD), -1);
}
END_TEST

START_TEST(longer_than_wanted)
{
	char text[2];

	ck_assert_int_eq(fd_send(ends[0], "abc", 4, NULL, 0, 0), 0);
	ck_assert_int_eq(fd_receive(ends[1], text, 2, NULL, 0, 0), 3);
}
END_TEST

START_TEST(no_one_there)
{
	char text[4];
	int fd;

	ck_assert_int_eq(fd_receive(ends[1], text, 4, &fd, 1, MSG_DONTWAIT), -EAGAIN);
	ck_assert_int_eq(fd_send(ends[0], "abc", 4, pass, FD_PASS_MAX + 1, 0), -E2BIG);
	for (size_t i = 0; i < ARRAY_SIZE(pass); i++)
		close(pass[i]);
	close(ends[0]);
	ck_assert_int_eq(fd_receive(ends[1], text, 4, &fd, 1, 0), 0);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fd_send(ends[1], "abc", 4, NULL, 0, 0), -EPIPE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fd");
	TCase *tc = tcase_create("fd");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, as_many_as_were_sent, 0, FD_PASS_MAX + 1);
	tcase_add_loop_test(tc, more_than_wanted, 0, FD_PASS_MAX);
	tcase_add_test(tc, longer_than_wanted);
	tcase_add_test(tc, no_one_there);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
