// SPDX-License-Identifier: GPL-2.0-only
/* Whether, and when, a VM is started again. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */

#include "base/util.h"
#include "vmm/system/system.h"

static const struct {
	enum restart_policy policy;
	int code;
	bool after_violation, ordered;
	unsigned int restarts;
	bool again;
	int64_t delay;
} ends[] = {
	{ RESTART_NEVER, 0, false, false, 0, false, 1000 },
	{ RESTART_NEVER, 1, false, false, 0, false, 1000 },
	{ RESTART_NEVER, 5, true, false, 0, false, 1000 },
	{ RESTART_ON_FAILURE, 0, false, false, 0, false, 1000 },
	{ RESTART_ON_FAILURE, 1, false, false, 0, true, 1000 },
	{ RESTART_ON_FAILURE, 2, false, false, 0, false, 1000 },
	{ RESTART_ON_FAILURE, 3, false, false, 1, true, 2000 },
	{ RESTART_ON_FAILURE, 4, false, false, 2, true, 4000 },
	{ RESTART_ON_FAILURE, 5, false, false, 0, false, 1000 },
	{ RESTART_ON_FAILURE, 5, true, false, 0, true, 1000 },
	{ RESTART_ON_FAILURE, 6, false, false, 0, true, 1000 },
	{ RESTART_ON_FAILURE, 6, false, true, 0, false, 1000 },
	{ RESTART_ALWAYS, 0, false, false, 0, true, 1000 },
	{ RESTART_ALWAYS, 0, false, true, 0, false, 1000 },
	{ RESTART_ALWAYS, 2, false, false, 0, false, 1000 },
	{ RESTART_ALWAYS, 5, false, false, 0, false, 1000 },
	{ RESTART_ALWAYS, 5, true, true, 0, false, 1000 },
	/* the limit; and the longest delay, also where doubling would wrap */
	{ RESTART_ALWAYS, 1, false, false, 99, true, 300000 },
	{ RESTART_ALWAYS, 1, false, false, 100, false, 300000 },
};

START_TEST(decide)
{
	const struct restart restart = {
		.policy = ends[_i].policy, .delay = 1000, .limit = 100, .after_violation = ends[_i].after_violation
	};
	int64_t delay;

	ck_assert_int_eq(restart_decide(&restart, ends[_i].code, ends[_i].ordered, ends[_i].restarts, &delay),
			 ends[_i].again);
	ck_assert_int_eq(delay, ends[_i].delay);
}
END_TEST

/* One that is asked for is kept, though none becomes so long by doubling. */
START_TEST(long_delay)
{
	const struct restart restart = { .policy = RESTART_ALWAYS, .delay = 3600000, .limit = 5 };
	int64_t delay;

	ck_assert(restart_decide(&restart, 1, false, 3, &delay));
	ck_assert_int_eq(delay, 3600000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restart");
	TCase *tests = tcase_create("restart");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, decide, 0, ARRAY_SIZE(ends));
	tcase_add_test(tests, long_delay);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
