// SPDX-License-Identifier: GPL-2.0-only
/* A function's configuration space, and what the guest gets of it: what the fuzzer begins with, each with its end. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/space.h"

#define CORPUS "tests/fuzz/corpus/space/"

static const struct {
	const char *name;
	int err;
} inputs[] = {
	{ "82576-vf", 0 },
	{ "table-amid", 0 },
	{ "pba-in-table-page", 0 },
	{ "vectors-2048", 0 },
	{ "no-msix", -EOPNOTSUPP },
	{ "no-list", -EOPNOTSUPP },
	{ "bridge", -EOPNOTSUPP },
	{ "unmappable", -EOPNOTSUPP },
	{ "caps-loop", -EBADMSG },
	{ "cap-at-end", -EBADMSG },
	{ "cap-in-head", -EBADMSG },
	{ "express-over-msix", -EBADMSG },
	{ "bar-odd-size", -EBADMSG },
	{ "wide-last", -EBADMSG },
	{ "table-in-no-bar", -EBADMSG },
	{ "table-beyond", -EBADMSG },
	{ "bar-huge", -ENOSPC },
};

static void space_read_input(struct function_space *space, const char *name)
{
	uint8_t bytes[SPACE_HEAD + PCI_CONFIG_SIZE];
	char path[128];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), CORPUS "%s", name);
	file = fopen(path, "r");
	ck_assert_msg(file, "%s", path);
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	ck_assert_uint_eq(len, sizeof(bytes));
	space_of_bytes(space, bytes, len);
}

START_TEST(each_input)
{
	struct function_space space;
	const char *wrong;
	int err;

	space_read_input(&space, inputs[_i].name);
	wrong = space_wrong(&space, &err);
	ck_assert_msg(!wrong, "%s: %s", inputs[_i].name, wrong);
	ck_assert_msg(err == inputs[_i].err, "%s: %d", inputs[_i].name, err);
}
END_TEST

/* Registers, and the MSI-X table's BAR without the table's page and the PBA's. */
START_TEST(vf_shown)
{
	struct function_space space;
	struct function_shape shape;
	uint64_t next = PCI_WINDOW_BASE;
	const char *what;

	space_read_input(&space, "82576-vf");
	ck_assert_int_eq(space_shape(&space, &shape, &what), 0);
	ck_assert_int_eq(space_place(&space, &shape, &next), 0);
	ck_assert_uint_eq(shape.table.nwindows, 3);
	ck_assert_uint_eq(shape.table.windows[0].gpa, PCI_WINDOW_BASE);
	ck_assert_uint_eq(shape.table.windows[0].size, 0x4000);
	ck_assert_uint_eq(shape.table.windows[1].gpa, PCI_WINDOW_BASE + 0x5000);
	ck_assert_uint_eq(shape.table.windows[1].size, 0x1000);
	ck_assert_uint_eq(shape.table.windows[2].gpa, PCI_WINDOW_BASE + 0x7000);
	ck_assert_uint_eq(shape.table.msix.table, PCI_WINDOW_BASE + 0x4000);
	ck_assert_uint_eq(shape.table.msix.pba, PCI_WINDOW_BASE + 0x6000);
	ck_assert_uint_eq(shape.table.msix.vectors, 3);
	/* no function level reset by the guest; PCI Express is the first of the two */
	ck_assert_uint_eq(shape.table.config[0x34], 0xa0);
	ck_assert_uint_eq(shape.table.config[0xa7] & 0x10, 0);
	ck_assert_uint_eq(shape.table.config[0xa1], 0x70);
}
END_TEST

/* Each byte of a sound one changed to some others: refused, or still sound. */
START_TEST(each_byte_changed)
{
	static const uint8_t values[] = { 0, 1, 0x0c, 0x40, 0x6c, 0x74, 0x7f, 0x80, 0xfc, 0xff };
	struct function_space space, changed;
	int err;

	space_read_input(&space, "82576-vf");
	for (unsigned int at = 0; at < PCI_CONFIG_SIZE; at++)
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			const char *wrong;

			changed = space;
			changed.config[at] = values[i];
			wrong = space_wrong(&changed, &err);
			ck_assert_msg(!wrong, "byte 0x%x is 0x%x: %s", at, values[i], wrong);
		}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("space");
	TCase *tc = tcase_create("space");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, each_input, 0, ARRAY_SIZE(inputs));
	tcase_add_test(tc, vf_shown);
	tcase_add_test(tc, each_byte_changed);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
