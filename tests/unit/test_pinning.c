// SPDX-License-Identifier: GPL-2.0-only
/* Which host cores a VM gets. The host's lists are others': files of ours, mounted over sysfs' in a namespace. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/capture.h"
#include "pinning/pinning.h"

#define CPU_ONLINE   "/sys/devices/system/cpu/online"
#define CPU_ISOLATED "/sys/devices/system/cpu/isolated"

static unsigned int cores[255];

/* Mounts are this test's own (Check forks for each): as root, or in a user namespace where there may be one. */
static bool namespaces_enter(void)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void list_put(const char *path, const char *text)
{
	char file[] = "/tmp/test-pinning.XXXXXX";
	int fd = mkstemp(file);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	ck_assert_msg(!mount(file, path, NULL, MS_BIND, NULL), "%s: %s", path, strerror(errno));
	unlink(file);
}

/* False: this machine has no namespace for us; a failure where skipping isn't allowed. */
static bool host_make(const char *online, const char *isolated)
{
	if (!namespaces_enter()) {
		ck_assert_msg(!getenv("MUST_WORK"), "no mount namespace: %s", strerror(errno));
		return false;
	}
	list_put(CPU_ONLINE, online);
	list_put(CPU_ISOLATED, isolated);
	return true;
}

static int choose(const unsigned int *wanted, unsigned int nwanted, unsigned int vcpus, char **text)
{
	struct capture cap;
	int err;

	memset(cores, 0xee, sizeof(cores));
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = cores_choose(wanted, nwanted, vcpus, cores);
	*text = capture_end(&cap);
	return err;
}

static void refused(const unsigned int *wanted, unsigned int nwanted, unsigned int vcpus, int err, const char *message)
{
	char *text;

	ck_assert_int_eq(choose(wanted, nwanted, vcpus, &text), err);
	ck_assert_str_eq(text, message);
	free(text);
}

static void chosen(const unsigned int *wanted, unsigned int nwanted, unsigned int vcpus, const unsigned int *want)
{
	char *text;

	ck_assert_int_eq(choose(wanted, nwanted, vcpus, &text), 0);
	ck_assert_str_eq(text, "");
	free(text);
	ck_assert_mem_eq(cores, want, vcpus * sizeof(*want));
	ck_assert_uint_eq(cores[vcpus], 0xeeeeeeee); /* and not one more */
}

/* Asked for by number: these, in this order, if the host has them. Lists in all of the kernel's forms. */
static const struct {
	const char *online;
	unsigned int has[4], lacks;
} lists[] = {
	{ "0\n", { 0, 0, 0, 0 }, 1 },
	{ "0-3\n", { 3, 0, 2, 1 }, 4 },
	{ "0-1,3\n", { 1, 3, 0, 3 }, 2 },
	{ "0,2,4-5,7\n", { 7, 5, 4, 2 }, 6 },
	{ "0-2,10-1023\n", { 1023, 10, 2, 0 }, 9 },
	{ "5", { 5, 5, 5, 5 }, 0 },
	{ "0-3\n", { 0, 1, 2, 3 }, 1024 },
	{ "0-8191\n", { 0, 1, 2, 1023 }, 8191 }, /* more than a cpu_set_t holds */
};

START_TEST(asked_for)
{
	unsigned int lacking[] = { lists[_i].has[0], lists[_i].lacks };
	char message[256];

	if (!host_make(lists[_i].online, "\n"))
		return;
	chosen(lists[_i].has, 4, 4, lists[_i].has);
	snprintf(message, sizeof(message),
		 "nohype: error: cores: %u: no such core is online on this host (it has %.*s)\n", lists[_i].lacks,
		 (int)strcspn(lists[_i].online, "\n"), lists[_i].online);
	refused(lacking, 2, 2, -ENODEV, message);
}
END_TEST

static void allow_first_two(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CPU_SET(1, &set);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(set), &set), 0);
}

static bool has_two_cores(void)
{
	cpu_set_t set;

	return !sched_getaffinity(0, sizeof(set), &set) && CPU_ISSET(0, &set) && CPU_ISSET(1, &set);
}

START_TEST(isolated_first)
{
	if (!has_two_cores() || !host_make("0-7\n", "3,5-6\n"))
		return;
	allow_first_two();
	chosen(NULL, 0, 1, (unsigned int[]){ 6 });
	chosen(NULL, 0, 3, (unsigned int[]){ 6, 5, 3 });
	chosen(NULL, 0, 4, (unsigned int[]){ 6, 5, 3, 1 });
	chosen(NULL, 0, 5, (unsigned int[]){ 6, 5, 3, 1, 0 });
	refused(NULL, 0, 6, -ENOSPC,
		"nohype: error: vcpus: 6: each takes a core of its own, and this host has 5 for it\n");
}
END_TEST

/* Isolated at boot and then taken offline; or both isolated and allowed: not twice. */
START_TEST(isolated_and_offline)
{
	if (!has_two_cores() || !host_make("0-3\n", "1,3,9\n"))
		return;
	allow_first_two();
	chosen(NULL, 0, 3, (unsigned int[]){ 3, 1, 0 });
	refused(NULL, 0, 4, -ENOSPC,
		"nohype: error: vcpus: 4: each takes a core of its own, and this host has 3 for it\n");
}
END_TEST

START_TEST(none_isolated)
{
	if (!has_two_cores() || !host_make("0-7\n", "\n"))
		return;
	allow_first_two();
	chosen(NULL, 0, 2, (unsigned int[]){ 1, 0 });
	ck_assert_int_eq(umount2(CPU_ISOLATED, MNT_DETACH), 0);
	list_put(CPU_ISOLATED, ""); /* older kernels: not even a newline */
	chosen(NULL, 0, 1, (unsigned int[]){ 1 });
	refused(NULL, 0, 3, -ENOSPC,
		"nohype: error: vcpus: 3: each takes a core of its own, and this host has 2 for it\n");
}
END_TEST

/* This very machine, without any disguise. */
START_TEST(this_host)
{
	const unsigned int far = 100000;
	cpu_set_t allowed;
	char *text;

	ck_assert_int_eq(choose(NULL, 0, 1, &text), 0);
	free(text);
	CPU_ZERO(&allowed);
	CPU_SET(cores[0], &allowed);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(allowed), &allowed), 0);
	ck_assert_int_eq(choose(&far, 1, 1, &text), -ENODEV);
	ck_assert_ptr_nonnull(strstr(text, "cores: 100000: no such core is online on this host (it has "));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pinning");
	TCase *tc = tcase_create("pinning");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, asked_for, 0, sizeof(lists) / sizeof(lists[0]));
	tcase_add_test(tc, isolated_first);
	tcase_add_test(tc, isolated_and_offline);
	tcase_add_test(tc, none_isolated);
	tcase_add_test(tc, this_host);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
