// SPDX-License-Identifier: GPL-2.0-only
/* The steps of a VM's life: one table, walked both ways. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vmm/supervisor/steps.h"

static unsigned int count(enum sequence sequence)
{
	unsigned int nth = 0;

	while (sequence_step(sequence, nth) >= 0)
		nth++;
	return nth;
}

START_TEST(each_has_a_name_of_its_own)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		ck_assert_ptr_nonnull(step_name(i));
		ck_assert(step_what(SEQUENCE_START, i) || step_what(SEQUENCE_STOP, i));
		for (unsigned int k = 0; k < i; k++)
			ck_assert_str_ne(step_name(i), step_name(k));
	}
}
END_TEST

START_TEST(a_start_goes_one_way_and_ends_go_the_other)
{
	for (enum sequence sequence = SEQUENCE_START; sequence < SEQUENCES; sequence++) {
		ck_assert_uint_gt(count(sequence), 10);
		for (unsigned int nth = 1; nth < count(sequence); nth++) {
			int before = sequence_step(sequence, nth - 1), step = sequence_step(sequence, nth);

			ck_assert(sequence == SEQUENCE_START ? before < step : before > step);
		}
	}
	ck_assert_int_eq(sequence_step(SEQUENCE_START, 0), STEP_PLAN);
	ck_assert_int_eq(sequence_step(SEQUENCE_START, count(SEQUENCE_START) - 1), STEP_SEAL);
	ck_assert_int_eq(sequence_step(SEQUENCE_STOP, 0), STEP_ORDER);
	ck_assert_int_eq(sequence_step(SEQUENCE_ABORT, 0), STEP_ORDER);
	ck_assert_int_eq(sequence_step(SEQUENCE_UNDO, 0), STEP_DMA);
	ck_assert_int_eq(sequence_step(SEQUENCE_UNDO, count(SEQUENCE_UNDO) - 1), STEP_OUTCOME);
}
END_TEST

START_TEST(all_are_explained)
{
	json_t *json = steps_json();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	steps_explain(out);
	fclose(out);
	for (enum sequence sequence = SEQUENCE_START; sequence < SEQUENCES; sequence++) {
		const json_t *list = json_object_get(json, sequence_name(sequence));

		ck_assert_uint_eq(json_array_size(list), count(sequence));
		for (unsigned int nth = 0; nth < count(sequence); nth++) {
			enum vm_step step = (enum vm_step)sequence_step(sequence, nth);
			const json_t *one = json_array_get(list, nth);

			ck_assert_str_eq(json_string_value(json_object_get(one, "step")), step_name(step));
			ck_assert_ptr_nonnull(strstr(text, step_what(sequence, step)));
		}
	}
	json_decref(json);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steps");
	TCase *tc = tcase_create("steps");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, each_has_a_name_of_its_own);
	tcase_add_test(tc, a_start_goes_one_way_and_ends_go_the_other);
	tcase_add_test(tc, all_are_explained);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
