// SPDX-License-Identifier: GPL-2.0-only
/* Text for people: escaping, "did you mean", captured messages, sizes and lists of cores. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/util.h"
#include "vmm/config/config.h"

static const struct {
	const char *text, *quoted;
} quotes[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "a\n\t\r", "\"a\\n\\t\\x0d\"" },
	{ "\x1b[2J\x7f\xff", "\"\\x1b[2J\\x7f\\xff\"" },
	{ "1234567890123456789012345", "\"1234567890123456789012345\"" },
	{ "12345678901234567890123456789", "\"12345678901234567890123456789\"" },
	{ "123456789012345678901234567890", "\"12345678901234567890123456...\"" },
	{ "123456789012345678901234567\n\n", "\"12345678901234567890123456...\"" },
	{ "\x01\x01\x01\x01\x01\x01\x01\x01\x01", "\"\\x01\\x01\\x01\\x01\\x01\\x01...\"" },
};

START_TEST(quote)
{
	char out[32];

	quote_text(out, sizeof(out), quotes[_i].text, strlen(quotes[_i].text));
	ck_assert_str_eq(out, quotes[_i].quoted);
}
END_TEST

/* Whatever is put in, what comes out fits and is printable. */
START_TEST(escape_fits)
{
	char text[256], out[64];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 37 + 11);
	for (size_t size = 8; size <= sizeof(out); size++) {
		for (size_t len = 0; len <= sizeof(text); len++) {
			memset(out, '!', sizeof(out));
			escape_text(out, size, text, len);
			ck_assert_uint_lt(strnlen(out, size), size);
			ck_assert(size == sizeof(out) || out[size] == '!');
			for (const char *p = out; *p; p++)
				ck_assert(*p >= ' ' && *p < 0x7f);
		}
	}
}
END_TEST

static const struct {
	const char *asked, *nearest;
} nearests[] = {
	{ "run", "run" },
	{ "rum", "run" },
	{ "RUN", "run" },
	{ "chek", "check" },
	{ "cehck", "check" },
	{ "hlep", "help" },
	{ "hepl", "help" },
	{ "start", NULL },
	{ "", NULL },
	{ "x", NULL },
	{ "checkcheck", NULL },
	{ "cat", NULL },
	{ "a-word-that-is-longer-than-any-command-of-ours", NULL },
};

START_TEST(nearest)
{
	struct nearest near = { .asked = nearests[_i].asked };

	nearest_offer(&near, "help", "help");
	nearest_offer(&near, "check", "check");
	nearest_offer(&near, "run", "run");
	ck_assert_pstr_eq(near.word, nearests[_i].nearest);
}
END_TEST

START_TEST(capture_and_restore)
{
	struct capture cap;
	char *said;

	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(capture_begin(&cap), 0);
		ck_assert_int_eq(fail(-EIO, "disk %d", i), -EIO);
		warn("slow");
		note("%s", "done");
		said = capture_end(&cap);
		ck_assert_ptr_nonnull(strstr(said, "nohype: error: disk "));
		ck_assert_ptr_nonnull(strstr(said, "\nnohype: warning: slow\nnohype: done\n"));
		free(said);
	}
	ck_assert_int_lt(cap.file, 10); /* none leaked */
	ck_assert_int_ge(fcntl(STDERR_FILENO, F_GETFD), 0);
}
END_TEST

START_TEST(exit_code_texts)
{
	for (int code = EXIT_CLEAN; code <= EXIT_ABORTED; code++)
		ck_assert_str_ne(exit_code_text(code), "unknown");
	ck_assert_str_ne(exit_code_text(EXIT_TIMEOUT), "unknown");
	ck_assert_str_eq(exit_code_text(EXIT_ABORTED + 1), "unknown");
	ck_assert_str_eq(exit_code_text(EXIT_TIMEOUT + 1), "unknown");
	ck_assert_str_eq(exit_code_text(-1), "unknown");
}
END_TEST

static const struct {
	const char *text;
	int err;
	uint64_t bytes;
} sizes[] = {
	{ "1K", 0, KIB(1) },
	{ "0K", 0, 0 },
	{ "512M", 0, MIB(512) },
	{ "3G", 0, GIB(3) },
	{ "2T", 0, GIB(2048) },
	{ "16777215T", 0, UINT64_C(16777215) << 40 },
	{ "16777216T", -ERANGE },
	{ "18446744073709551615K", -ERANGE },
	{ "18446744073709551616K", -ERANGE },
	{ "", -EINVAL },
	{ "M", -EINVAL },
	{ "1", -EINVAL },
	{ "1m", -EINVAL },
	{ "1MB", -EINVAL },
	{ "-1M", -EINVAL },
	{ "1.5G", -EINVAL },
	{ " 1G", -EINVAL },
};

START_TEST(size)
{
	uint64_t bytes = 0;

	ck_assert_int_eq(size_parse(sizes[_i].text, &bytes), sizes[_i].err);
	ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

static const struct {
	const char *text;
	int err;
	unsigned int count, last; /* last: cores[count - 1], or for -EEXIST the one that is there twice */
} lists[] = {
	{ "0", 0, 1, 0 },
	{ "1,3-5", 0, 4, 5 },
	{ "8-15", 0, 8, 15 },
	{ "1-8,0", -ERANGE },
	{ "0-8", -ERANGE },
	{ "8192", -ERANGE },
	{ "99999999999999999999", -ERANGE },
	{ "1,2,1", -EEXIST, 2, 1 },
	{ "1-4,3", -EEXIST, 4, 3 },
	{ "", -EINVAL },
	{ "1,", -EINVAL },
	{ "3-1", -EINVAL },
	{ "1-2-3", -EINVAL },
	{ "a", -EINVAL },
	{ "1 ", -EINVAL },
};

START_TEST(cores)
{
	unsigned int found[8], count;
	int err = cores_parse(lists[_i].text, found, 8, &count);

	ck_assert_int_eq(err, lists[_i].err);
	if (err && err != -EEXIST)
		return;
	ck_assert_uint_eq(count, lists[_i].count);
	ck_assert_uint_eq(found[err ? count : count - 1], lists[_i].last);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, quote, 0, ARRAY_SIZE(quotes));
	tcase_add_test(tc, escape_fits);
	tcase_add_loop_test(tc, nearest, 0, ARRAY_SIZE(nearests));
	tcase_add_test(tc, capture_and_restore);
	tcase_add_test(tc, exit_code_texts);
	tcase_add_loop_test(tc, size, 0, ARRAY_SIZE(sizes));
	tcase_add_loop_test(tc, cores, 0, ARRAY_SIZE(lists));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
