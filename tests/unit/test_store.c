// SPDX-License-Identifier: GPL-2.0-only
/* Loops that write zeroes: all that they are to, and nothing beside it. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memmap/internal.h"

#define LOOPS_MAX 5

static const uint64_t lengths[] = { 64, 128, 4096, 4096 + 64, MIB(2) };

static uint8_t *bytes_make(uint64_t len)
{
	uint8_t *bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0);

	ck_assert_ptr_ne(bytes, MAP_FAILED);
	memset(bytes, 0xa5, len);
	return bytes;
}

/* Each loop on each length, with a line before and one after it that stay. */
START_TEST(zeroes_exactly)
{
	const struct store_loop *loop = store_at((unsigned int)_i);
	uint8_t *bytes;

	if (!loop)
		return; /* this processor hasn't as many */
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		bytes = bytes_make(lengths[i] + 128);
		loop->zero(bytes + 64, lengths[i]);
		ck_assert(bytes_are_zero(bytes + 64, lengths[i]));
		for (uint64_t n = 0; n < 64; n++)
			ck_assert(bytes[n] == 0xa5 && bytes[64 + lengths[i] + n] == 0xa5);
		munmap(bytes, lengths[i] + 128);
	}
}
END_TEST

START_TEST(some_are_everywhere)
{
	unsigned int count = 0;

	while (store_at(count))
		count++;
	ck_assert_uint_ge(count, 3);
	ck_assert_uint_le(count, LOOPS_MAX);
}
END_TEST

/* What is measured on is zero where it was written, and nothing else is touched; with too little, nothing at all. */
START_TEST(chosen)
{
	uint8_t *bytes = bytes_make(MIB(80));
	uint64_t done = 1;

	ck_assert_str_eq(store_choose(bytes, MIB(8), &done)->name, "sse2");
	ck_assert_uint_eq(done, 0);
	ck_assert_uint_eq(bytes[0], 0xa5);
	ck_assert_ptr_nonnull(store_choose(bytes, MIB(64), &done));
	ck_assert_uint_ge(done, MIB(6));
	ck_assert_uint_le(done, MIB(32));
	ck_assert(bytes_are_zero(bytes, done));
	memset(bytes, 0xa5, done);
	ck_assert(memcmp(bytes, bytes + 1, MIB(80) - 1) == 0);
	munmap(bytes, MIB(80));
}
END_TEST

START_TEST(zero_is_told)
{
	uint8_t *bytes = bytes_make(4096);

	memset(bytes, 0, 4096);
	ck_assert(bytes_are_zero(bytes, 4096));
	for (unsigned int at = 0; at < 4096; at++) {
		bytes[at] = 1;
		ck_assert(!bytes_are_zero(bytes, 4096));
		bytes[at] = 0;
	}
	munmap(bytes, 4096);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, zeroes_exactly, 0, LOOPS_MAX);
	tcase_add_test(tc, some_are_everywhere);
	tcase_add_test(tc, chosen);
	tcase_add_test(tc, zero_is_told);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
