// SPDX-License-Identifier: GPL-2.0-only
/* The report's timeline: bounded, and right however long it gets. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>

#include "base/util.h"
#include "vmm/supervisor/timeline.h"

#define VCPUS 3

/* As the supervisor does it: at each step what is due is taken. Exits of vCPU i are i more than the time. */
static void run_until(struct timeline *timeline, int64_t *now, int64_t end, int64_t step)
{
	for (; *now < end; *now += step) {
		struct exits *exits;

		if (timeline_wait(timeline, *now) > 0)
			continue;
		exits = timeline_add(timeline, *now, false);
		for (unsigned int i = 0; i < VCPUS; i++)
			exits[i] = (struct exits){ .all = (uint64_t)*now + i, .host = i };
	}
}

static void verify(const struct timeline *timeline)
{
	ck_assert_uint_le(timeline->count, TIMELINE_MAX);
	for (unsigned int i = 0; i < timeline->count; i++) {
		const struct exits *exits = timeline_at(timeline, i);

		if (i)
			ck_assert_int_gt(timeline->ns[i], timeline->ns[i - 1]);
		for (unsigned int vcpu = 0; vcpu < VCPUS; vcpu++) {
			ck_assert_uint_eq(exits[vcpu].all, (uint64_t)timeline->ns[i] + vcpu);
			ck_assert_uint_eq(exits[vcpu].host, vcpu);
		}
	}
}

START_TEST(thins_out)
{
	const int64_t second = 1000000000;
	struct timeline timeline;
	int64_t now = 0, intervals = TIMELINE_INTERVAL;

	ck_assert_int_eq(timeline_make(&timeline, VCPUS), 0);
	for (int64_t end = 10 * second; end < 3 * 3600 * second; end *= 3) {
		run_until(&timeline, &now, end, TIMELINE_INTERVAL / 2);
		verify(&timeline);
		ck_assert_int_ge(timeline.interval, intervals);
		intervals = timeline.interval;
		ck_assert_int_eq(timeline.ns[0], 0);
		/* the last one is of now, and half of the room is used at least, once it was full */
		ck_assert_int_ge(timeline.ns[timeline.count - 1], now - timeline.interval - TIMELINE_INTERVAL);
		if (timeline.interval > TIMELINE_INTERVAL)
			ck_assert_uint_ge(timeline.count, TIMELINE_MAX / 2);
	}
	ck_assert_int_gt(timeline.interval, 8 * TIMELINE_INTERVAL);
	timeline_free(&timeline);
}
END_TEST

START_TEST(keeps_what_must_stay)
{
	struct timeline timeline;
	bool found = false;
	int64_t now = 0;
	struct exits *exits;

	ck_assert_int_eq(timeline_make(&timeline, VCPUS), 0);
	run_until(&timeline, &now, 7 * (int64_t)TIMELINE_INTERVAL, TIMELINE_INTERVAL);
	exits = timeline_add(&timeline, now - 1, true);
	for (unsigned int i = 0; i < VCPUS; i++)
		exits[i] = (struct exits){ .all = (uint64_t)now - 1 + i, .host = i };
	run_until(&timeline, &now, 10000 * (int64_t)TIMELINE_INTERVAL, TIMELINE_INTERVAL);
	verify(&timeline);
	for (unsigned int i = 0; i < timeline.count; i++)
		found = found || timeline.ns[i] == 7 * (int64_t)TIMELINE_INTERVAL - 1;
	ck_assert(found);
	timeline_free(&timeline);
}
END_TEST

START_TEST(waits)
{
	struct timeline timeline = { 0 };

	ck_assert_int_eq(timeline_wait(&timeline, 5), -1);
	ck_assert_int_eq(timeline_make(&timeline, 1), 0);
	ck_assert_int_eq(timeline_wait(&timeline, 0), 0);
	timeline_add(&timeline, 1000, false);
	ck_assert_int_eq(timeline_wait(&timeline, 1000), 100);
	ck_assert_int_eq(timeline_wait(&timeline, 1001), 100); /* rounded up: never too early */
	ck_assert_int_eq(timeline_wait(&timeline, 1000 + TIMELINE_INTERVAL), 0);
	ck_assert_int_eq(timeline_wait(&timeline, 2000 + TIMELINE_INTERVAL), 0);
	timeline_free(&timeline);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tc = tcase_create("timeline");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, thins_out);
	tcase_add_test(tc, keeps_what_must_stay);
	tcase_add_test(tc, waits);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
