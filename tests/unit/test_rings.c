// SPDX-License-Identifier: GPL-2.0-only
/* The rings: both sides of one, what a hostile other side writes, and what the host's readers see. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/util.h"
#include "rings/rings.h"
#include "tests/unit/calls.h"
#include "vmm/rings/process.h"

#define SIZE 64

static struct ring ring;
static uint8_t bytes[SIZE];
static struct ring_end producer, consumer;

static void setup(void)
{
	memset(&ring, 0, sizeof(ring));
	producer = ring_end(&ring, bytes, SIZE);
	consumer = ring_end(&ring, bytes, SIZE);
}

START_TEST(order_is_kept_around_the_end)
{
	uint8_t next_put = 0, next_taken = 0;

	for (size_t round = 0; round < 10000; round++) {
		uint8_t chunk[SIZE + 9];
		size_t len = round * 7 % sizeof(chunk);

		for (size_t i = 0; i < len; i++)
			chunk[i] = (uint8_t)(next_put + i);
		next_put = (uint8_t)(next_put + ring_put(&producer, chunk, len));
		len = ring_take(&consumer, chunk, round * 5 % sizeof(chunk));
		for (size_t i = 0; i < len; i++)
			ck_assert_uint_eq(chunk[i], next_taken++);
	}
	ck_assert(!producer.broken && !consumer.broken);
	ck_assert_uint_gt(consumer.count, 10 * SIZE);
}
END_TEST

START_TEST(full_and_empty)
{
	uint8_t chunk[SIZE + 1] = { 0 };

	ck_assert_uint_eq(ring_take(&consumer, chunk, sizeof(chunk)), 0);
	ck_assert_uint_eq(ring_put(&producer, chunk, sizeof(chunk)), SIZE);
	ck_assert_uint_eq(ring_put(&producer, chunk, 1), 0);
	ck_assert_uint_eq(ring_take(&consumer, chunk, sizeof(chunk)), SIZE);
}
END_TEST

static const uint64_t nonsense[] = { SIZE + 1, UINT64_MAX, UINT64_MAX - SIZE, 1ULL << 63, 1ULL << 32 };

START_TEST(counts_that_cannot_be_break_it_for_good)
{
	uint8_t chunk[SIZE] = { 0 };

	ring.put = nonsense[_i];
	ck_assert_uint_eq(ring_take(&consumer, chunk, SIZE), 0);
	ck_assert(consumer.broken);
	ring.put = 1;
	ck_assert_uint_eq(ring_take(&consumer, chunk, SIZE), 0);
	ring.taken = 1; /* more than was put */
	ck_assert_uint_eq(ring_put(&producer, chunk, SIZE), 0);
	ck_assert(producer.broken);
	ring.taken = 0;
	ck_assert_uint_eq(ring_put(&producer, chunk, SIZE), 0);
}
END_TEST

/* A consumer may not be told to go back, nor a producer that more was taken than it put. */
START_TEST(counts_only_grow)
{
	uint8_t chunk[SIZE] = { 0 };

	ring_put(&producer, chunk, 10);
	ring_take(&consumer, chunk, 10);
	ring.put = 9;
	ck_assert_uint_eq(ring_take(&consumer, chunk, SIZE), 0);
	ck_assert(consumer.broken);
	ring.taken = 11;
	ck_assert_uint_eq(ring_put(&producer, chunk, SIZE), 0);
	ck_assert(producer.broken);
}
END_TEST

START_TEST(stream_keeps_the_last_whole_lines)
{
	uint8_t kept[16];
	struct stream stream = { .bytes = kept, .size = sizeof(kept) };
	const char *text = "one\ntwo\nthree\nfour\nfi";
	size_t len;

	for (size_t i = 0; text[i]; i++) {
		len = 1;
		*stream_next(&stream, &len) = (uint8_t)text[i];
		stream_add(&stream, 1);
	}
	ck_assert_uint_eq(stream_oldest(&stream), strlen("one\ntwo\n"));
	ck_assert_uint_eq(stream_line(&stream), strlen("one\ntwo\nthree\nfour\n"));
}
END_TEST

START_TEST(start_is_checked)
{
	const struct rings_start good = {
		.magic = RINGS_START_MAGIC, .version = RINGS_START_VERSION, .size = sizeof(good), .supervisor_pid = 1
	};
	struct rings_start bad = good;

	ck_assert_int_eq(start_check(&good), 0);
	for (size_t i = 0; i < 3; i++) {
		bad = good;
		((uint32_t *)&bad)[i]++;
		ck_assert_int_lt(start_check(&bad), 0);
	}
	bad = good;
	bad.beat_ms = 1; /* and never missed */
	ck_assert_int_lt(start_check(&bad), 0);
}
END_TEST

static int filter_on(int which)
{
	(void)which;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_apply(&filter_rings);
}

static bool in_table(long nr)
{
	for (unsigned int i = 0; i < filter_rings.count; i++)
		if (filter_rings.rules[i].nr == nr)
			return true;
	return false;
}

START_TEST(calls_of_the_table_and_no_others)
{
	for (long nr = 0; nr < LAST_SYSCALL; nr++) {
		struct call call = { nr, { NONE, NONE, NONE, NONE } };

		if (!is_probe(nr))
			ck_assert_msg((child_try(filter_on, 0, &call) == SIGSYS) == !in_table(nr), "system call %ld",
				      nr);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rings");
	TCase *tc = tcase_create("rings");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, order_is_kept_around_the_end);
	tcase_add_test(tc, full_and_empty);
	tcase_add_loop_test(tc, counts_that_cannot_be_break_it_for_good, 0, ARRAY_SIZE(nonsense));
	tcase_add_test(tc, counts_only_grow);
	tcase_add_test(tc, stream_keeps_the_last_whole_lines);
	tcase_add_test(tc, start_is_checked);
	tcase_add_test(tc, calls_of_the_table_and_no_others);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
