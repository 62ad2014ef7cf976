// SPDX-License-Identifier: GPL-2.0-only
/* What a receiver checks a notification by. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <string.h>

#include "vmm/system/notify.h"

/* RFC 4231, 4.3 */
START_TEST(signature)
{
	char hex[65];

	signature_make((const unsigned char *)"Jefe", 4, "what do ya want for nothing?", hex);
	ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

START_TEST(signature_long_key)
{
	unsigned char key[131];
	char hex[65];

	memset(key, 0xaa, sizeof(key)); /* RFC 4231, 4.7 */
	signature_make(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", hex);
	ck_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tests = tcase_create("notify");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, signature);
	tcase_add_test(tests, signature_long_key);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
