// SPDX-License-Identifier: GPL-2.0-only
/* Where guest-physical memory lies, for each size at which something changes. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>

#include "memmap/memmap.h"

static const struct {
	uint64_t size, low_size, second_start, second_size; /* all in MiB; the first range starts at 0 */
} layouts[] = {
	{ 64, 2, 16, 62 },    { 126, 2, 16, 124 },     { 128, 128, 0, 0 },	   { 512, 512, 0, 0 },
	{ 3072, 3072, 0, 0 }, { 3074, 3072, 4096, 2 }, { 5120, 3072, 4096, 2048 }, { 4194304, 3072, 4096, 4191232 },
};

START_TEST(plan)
{
	struct memory_layout layout;

	layout_plan(&layout, MIB(layouts[_i].size));
	ck_assert_uint_eq(layout.size, MIB(layouts[_i].size));
	ck_assert_uint_eq(layout.count, layouts[_i].second_size ? 2 : 1);
	ck_assert_uint_eq(layout.ranges[0].gpa, 0);
	ck_assert_uint_eq(layout.ranges[0].offset, 0);
	ck_assert_uint_eq(layout.ranges[0].size, MIB(layouts[_i].low_size));
	if (layout.count == 1)
		return;
	ck_assert_uint_eq(layout.ranges[1].gpa, MIB(layouts[_i].second_start));
	ck_assert_uint_eq(layout.ranges[1].size, MIB(layouts[_i].second_size));
	ck_assert_uint_eq(layout.ranges[1].offset, MIB(layouts[_i].low_size));
}
END_TEST

/* Every size from the smallest on: the ranges add up, don't overlap, and are made of whole 2 MiB pages. */
START_TEST(sums)
{
	for (uint64_t size = MEMORY_MIN; size <= GIB(6); size += MIB(2)) {
		struct memory_layout layout;
		uint64_t sum = 0, end = 0;

		layout_plan(&layout, size);
		for (uint32_t i = 0; i < layout.count; i++) {
			ck_assert_uint_ge(layout.ranges[i].gpa, end);
			ck_assert_uint_eq(layout.ranges[i].offset, sum);
			ck_assert_uint_eq((layout.ranges[i].gpa | layout.ranges[i].size) % MIB(2), 0);
			ck_assert_uint_gt(layout.ranges[i].size, 0);
			end = layout.ranges[i].gpa + layout.ranges[i].size;
			sum += layout.ranges[i].size;
		}
		ck_assert_uint_eq(sum, size);
	}
}
END_TEST

static const struct {
	uint64_t size, gpa, len;
	bool found;
	uint64_t offset;
} finds[] = {
	{ MIB(512), 0, 0, true, 0 },
	{ MIB(512), 0, MIB(512), true, 0 },
	{ MIB(512), 0, MIB(512) + 1, false, 0 },
	{ MIB(512), MIB(512), 0, true, MIB(512) },
	{ MIB(512), MIB(512), 1, false, 0 },
	{ MIB(512), MIB(512) - 1, 1, true, MIB(512) - 1 },
	{ MIB(512), 1, UINT64_MAX, false, 0 },
	{ MIB(512), UINT64_MAX, 1, false, 0 },
	{ MIB(512), UINT64_MAX, UINT64_MAX, false, 0 },
	{ MIB(64), MIB(2) - 1, 2, false, 0 },
	{ MIB(64), MIB(8), 1, false, 0 },
	{ MIB(64), MIB(16), MIB(62), true, MIB(2) },
	{ MIB(64), MIB(16) - 1, 2, false, 0 },
	{ GIB(5), GIB(3) - 1, 1, true, GIB(3) - 1 },
	{ GIB(5), GIB(3) - 1, 2, false, 0 },
	{ GIB(5), GIB(4) - 1, 1, false, 0 },
	{ GIB(5), GIB(4), GIB(2), true, GIB(3) },
	{ GIB(5), GIB(4), GIB(2) + 1, false, 0 },
};

START_TEST(find)
{
	struct memory_layout layout;
	uint64_t offset = 0;

	layout_plan(&layout, finds[_i].size);
	ck_assert_int_eq(layout_find(&layout, finds[_i].gpa, finds[_i].len, &offset), finds[_i].found);
	ck_assert_uint_eq(offset, finds[_i].offset);
}
END_TEST

/* Disks lie above memory and 4 GiB, each on a GiB of its own, behind memory in the file. */
START_TEST(disks)
{
	const uint64_t sizes[MEMORY_DISKS] = { MIB(2), GIB(1), GIB(1) + MIB(2), MIB(100) };
	uint64_t end = MEMORY_HOLE_END, offset = MIB(layouts[_i].size), found;
	struct memory_layout layout;

	layout_plan(&layout, MIB(layouts[_i].size));
	for (unsigned int i = 0; i < MEMORY_DISKS; i++)
		layout_add_disk(&layout, sizes[i]);
	ck_assert_uint_eq(layout_ram(&layout), MIB(layouts[_i].size));
	if (layouts[_i].second_size)
		end = MAX(end, MIB(layouts[_i].second_start + layouts[_i].second_size));
	for (unsigned int i = 0; i < MEMORY_DISKS; i++) {
		const struct memory_range *disk = layout_disk(&layout, i);

		ck_assert_ptr_nonnull(disk);
		ck_assert_uint_ge(disk->gpa, end);
		ck_assert_uint_lt(disk->gpa, end + GIB(1));
		ck_assert_uint_eq(disk->gpa % GIB(1), 0);
		ck_assert_uint_eq(disk->size, sizes[i]);
		ck_assert_uint_eq(disk->offset, offset);
		ck_assert(layout_find(&layout, disk->gpa, disk->size, &found) && found == offset);
		ck_assert(!layout_find(&layout, disk->gpa, disk->size + 1, &found));
		end = disk->gpa + disk->size;
		offset += disk->size;
	}
	ck_assert_uint_eq(layout.size, offset);
	ck_assert_uint_le(end, MEMORY_GPA_MAX);
	ck_assert_ptr_null(layout_disk(&layout, MEMORY_DISKS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout");
	TCase *tc = tcase_create("layout");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, plan, 0, ARRAY_SIZE(layouts));
	tcase_add_loop_test(tc, disks, 0, ARRAY_SIZE(layouts));
	tcase_add_test(tc, sums);
	tcase_add_loop_test(tc, find, 0, ARRAY_SIZE(finds));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
