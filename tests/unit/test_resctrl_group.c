// SPDX-License-Identifier: GPL-2.0-only
/* Groups of resctrl, on the simulated file system of tests/resctrl: made, set, read back, refused and removed. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/capture.h"
#include "pinning/resctrl/resctrl.h"
#include "tests/unit/simulation.h"

static void simulation_start(void)
{
	simulation_begin("");
}

static bool shows(const char *path, const char *wanted)
{
	char text[SCHEMATA_MAX];

	return resctrl_read(root, path, text, sizeof(text)) >= 0 && strstr(text, wanted);
}

static struct schemata_line l3(uint64_t mask)
{
	return (struct schemata_line){ .name = "L3", .count = 1, .domains = { { 1, mask } } };
}

START_TEST(life_of_a_group)
{
	struct schemata_line line = l3(0xf0);
	char tid[16];

	snprintf(tid, sizeof(tid), "%d\n", (int)getpid());
	ck_assert_int_eq(group_make(root, "nohype-a"), 0);
	ck_assert_int_eq(group_set(root, "nohype-a", &line), 0);
	ck_assert(shows("nohype-a/schemata", "L3:0=fff;1=f0\n"));
	ck_assert(shows("schemata", "L3:0=fff;1=fff\n"));
	ck_assert_int_eq(group_add(root, "nohype-a", getpid()), 0);
	ck_assert(shows("nohype-a/tasks", tid));
	ck_assert_int_eq(group_remove(root, "nohype-a"), 0);
	ck_assert_int_ne(faccessat(root, "nohype-a", F_OK, 0), 0);
	ck_assert(shows("tasks", tid));
	ck_assert_int_eq(group_remove(root, "nohype-a"), 0);
}
END_TEST

/* Setting @line is refused in these words, and nothing has changed. */
static void refused(const struct schemata_line *line, const char *wanted)
{
	struct capture cap;
	char *text;
	int err;

	ck_assert_int_eq(capture_begin(&cap), 0);
	err = group_set(root, "nohype-b", line);
	text = capture_end(&cap);
	ck_assert_int_lt(err, 0);
	ck_assert_msg(text && strstr(text, wanted), "%s: wanted %s", text, wanted);
	free(text);
	ck_assert(shows("nohype-b/schemata", "L3:0=fff;1=fff\n"));
	ck_assert(shows("nohype-b/schemata", "MB:0=  100;1=  100\n"));
}

START_TEST(refusals)
{
	struct schemata_line holes = l3(0x5), few = l3(0x1), none = l3(0), beyond = l3(0x1800);
	struct schemata_line low = { .name = "MB", .count = 1, .domains = { { 0, 9 } } };
	struct schemata_line uneven = { .name = "MB", .count = 1, .domains = { { 0, 21 } } };
	struct schemata_line l2 = { .name = "L2", .count = 1, .domains = { { 0, 3 } } };

	ck_assert_int_eq(group_make(root, "nohype-b"), 0);
	refused(&holes, "the kernel refuses \"L3:1=5\": Invalid argument: The mask has non-consecutive 1-bits");
	refused(&few, "Need at least 2 bits in the mask");
	refused(&none, "Mask out of range");
	refused(&beyond, "Mask out of range");
	refused(&low, "MB value out of range [10,100]");
	refused(&l2, "Unknown or unsupported resource name");
	/* taken, but as another value: that is seen too */
	ck_assert_int_eq(group_set(root, "nohype-b", &uneven), -EIO);
	ck_assert(shows("nohype-b/schemata", "MB:0=   30;1=  100\n"));
	ck_assert_int_eq(group_add(root, "nohype-b", 0x3fffffff), -ESRCH);
	ck_assert_int_eq(group_remove(root, "nohype-b"), 0);
}
END_TEST

START_TEST(names_and_numbers)
{
	struct capture cap;
	char *text;

	ck_assert_int_eq(group_make(root, "nohype-a"), 0);
	ck_assert_int_eq(group_make(root, "nohype-a"), -EEXIST);
	ck_assert_int_eq(group_make(root, "nohype-b"), 0);
	ck_assert_int_eq(group_make(root, "nohype-c"), 0);
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert_int_eq(group_make(root, "nohype-d"), -ENOSPC);
	text = capture_end(&cap);
	ck_assert_msg(text && strstr(text, "Out of CLOSIDs"), "%s", text);
	free(text);
	ck_assert_int_eq(group_remove(root, "nohype-b"), 0);
	ck_assert_int_eq(group_make(root, "nohype-d"), 0);
}
END_TEST

START_TEST(info)
{
	struct bandwidth_info bandwidth = { 0 };
	struct cache_info cache;

	ck_assert_int_eq(cache_info_read(root, "L3", &cache), 0);
	ck_assert_uint_eq(cache.cbm_mask, 0xfff);
	ck_assert_uint_eq(cache.shareable, 0xc00);
	ck_assert_uint_eq(cache.closids, 4);
	ck_assert_int_eq(cache_info_read(root, "L2", &cache), -ENOENT);
	ck_assert_int_eq(bandwidth_info_read(root, &bandwidth), 0);
	ck_assert_uint_eq(bandwidth.gran, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resctrl groups (simulated)");
	TCase *tc = tcase_create("groups (simulated)");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, simulation_start, simulation_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, life_of_a_group);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, names_and_numbers);
	tcase_add_test(tc, info);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
