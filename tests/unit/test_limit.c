// SPDX-License-Identifier: GPL-2.0-only
/* How often a user may ask nohyped. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>

#include "base/util.h"
#include "vmm/system/limit.h"

#define SECOND INT64_C(1000000000)

static unsigned int take_many(struct limit *limit, uid_t uid, bool change, int64_t now, unsigned int count)
{
	unsigned int taken = 0;

	while (count--)
		taken += limit_take(limit, uid, change, now) == 0;
	return taken;
}

START_TEST(rates)
{
	struct limit limit = { .rate = 10, .burst = 20 };

	ck_assert_uint_eq(take_many(&limit, 0, false, SECOND, 100), 20);
	ck_assert_uint_eq(limit_take(&limit, 0, false, SECOND), 1);
	ck_assert_uint_eq(take_many(&limit, 0, false, SECOND + SECOND / 10, 100), 1);
	ck_assert_uint_eq(take_many(&limit, 0, false, 2 * SECOND + SECOND / 10, 100), 10);
	ck_assert_uint_eq(take_many(&limit, 0, false, 1000 * SECOND, 100), 20); /* and no more, after however long */
	ck_assert_uint_eq(take_many(&limit, 0, false, INT64_MAX, 100), 20);
	ck_assert_uint_eq(take_many(&limit, 0, false, 0, 100), 0); /* a clock that went back */
}
END_TEST

START_TEST(changes)
{
	struct limit limit = { .rate = 10, .burst = 20 };

	ck_assert_uint_eq(take_many(&limit, 0, true, SECOND, 100), 4);
	ck_assert_uint_eq(limit_take(&limit, 0, true, SECOND), 1);
	limit = (struct limit){ .rate = 1, .burst = 5 };
	ck_assert_uint_eq(take_many(&limit, 0, true, SECOND, 100), 1);
	ck_assert_uint_eq(limit_take(&limit, 0, true, SECOND), 6); /* when it is said to be tried again, it is taken */
	ck_assert_uint_eq(limit_take(&limit, 0, true, 7 * SECOND), 0);
}
END_TEST

START_TEST(users)
{
	struct limit limit = { .rate = 10, .burst = 20 };

	ck_assert_uint_eq(take_many(&limit, 7, false, SECOND, 100), 20);
	for (uid_t uid = 1000; uid < 1000 + 10 * LIMIT_USERS; uid++)
		ck_assert_uint_eq(take_many(&limit, uid, false, 2 * SECOND + uid, 100), 20);
	ck_assert_uint_le(limit.count, LIMIT_USERS);
	/* who floods isn't forgotten for it */
	ck_assert_uint_eq(take_many(&limit, 1000 + 10 * LIMIT_USERS - 1, false, 2 * SECOND + 2000, 100), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("limit");
	TCase *tc = tcase_create("limit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, rates);
	tcase_add_test(tc, changes);
	tcase_add_test(tc, users);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
