// SPDX-License-Identifier: GPL-2.0-only
/* The guarantees' pure parts: what is read out of the kernel's texts, and how the table is printed. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/util.h"
#include "vmm/supervisor/guarantees.h"
#include "vmm/supervisor/proc.h"

static const struct {
	const char *list;
	unsigned int cpu;
	bool has;
} lists[] = {
	{ "", 0, false },	  { "0", 0, true },	     { "0", 1, false },	  { "1-3", 0, false },
	{ "1-3", 1, true },	  { "1-3", 3, true },	     { "1-3", 4, false }, { "0,2,8-9\n", 2, true },
	{ "0,2,8-9\n", 9, true }, { "0,2,8-9\n", 1, false }, { "10", 1, false },  { "(null)", 0, false },
};

START_TEST(cpu_lists)
{
	ck_assert_int_eq(cpu_list_has(lists[_i].list, lists[_i].cpu), lists[_i].has);
}
END_TEST

START_TEST(status_lines)
{
	static const char text[] =
		"Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t3\nCpus_allowed_list:\t1-3\nVmLck:\t   12 kB\n";
	uint64_t number = 0;
	char value[16];

	ck_assert(status_number(text, "Seccomp", 10, &number) && number == 2);
	ck_assert(status_number(text, "Seccomp_filters", 10, &number) && number == 3);
	ck_assert(status_number(text, "VmLck", 10, &number) && number == 12);
	ck_assert(status_line(text, "Cpus_allowed_list", value, sizeof(value)));
	ck_assert_str_eq(value, "1-3");
	ck_assert(!status_line(text, "Seccom", value, sizeof(value)));
	ck_assert(!status_line(text, "allowed_list", value, sizeof(value)));
}
END_TEST

static const char smaps_text[] = "00400000-00500000 r-xp 00000000 fe:01 77                  /bin/x\n"
				 "Size:               1024 kB\n"
				 "KernelPageSize:        4 kB\n"
				 "Rss:                1000 kB\n"
				 "VmFlags: rd ex\n"
				 "7f0000000000-7f0000400000 rw-s 00000000 00:0f 4711 /memfd:nohype-guest (deleted)\n"
				 "Size:               4096 kB\n"
				 "KernelPageSize:     2048 kB\n"
				 "Rss:                   0 kB\n"
				 "Shared_Hugetlb:        0 kB\n"
				 "Private_Hugetlb:    4096 kB\n"
				 "7f0000400000-7f0000500000 rw-s 00400000 00:0f 4711 /memfd:nohype-guest (deleted)\n"
				 "Size:               1024 kB\n"
				 "KernelPageSize:        4 kB\n"
				 "Rss:                 512 kB\n"
				 "7f0000500000-7f0000600000 rw-s 00400000 00:10 4711 /memfd:nohype-guest (deleted)\n"
				 "Size:               1024 kB\n"
				 "Rss:                 512 kB\n";

static int smaps_of(const char *text, dev_t device, ino_t inode, struct mapped_file *mapped)
{
	FILE *file = fmemopen((char *)text, strlen(text), "r");
	int err;

	ck_assert_ptr_nonnull(file);
	err = smaps_sum(file, device, inode, mapped);
	fclose(file);
	return err;
}

START_TEST(smaps_of_one_file)
{
	struct mapped_file mapped;

	ck_assert_int_eq(smaps_of(smaps_text, makedev(0, 15), 4711, &mapped), 0);
	ck_assert_uint_eq(mapped.size, KIB(4096 + 1024));
	ck_assert_uint_eq(mapped.resident, KIB(4096 + 512));
	ck_assert_uint_eq(mapped.page_size, KIB(4));
	ck_assert_int_eq(smaps_of(smaps_text, makedev(0, 15), 4712, &mapped), 0);
	ck_assert_uint_eq(mapped.size, 0);
	ck_assert_int_lt(smaps_of("nothing that is smaps\n", makedev(0, 15), 4711, &mapped), 0);
}
END_TEST

/* The kernel's own text for a file that we map. */
START_TEST(smaps_of_this_process)
{
	int fd = memfd_create("test", 0);
	struct mapped_file mapped;
	struct stat st;
	FILE *file;
	char *map;

	ck_assert_int_eq(ftruncate(fd, KIB(64)), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	map = mmap(NULL, KIB(64), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(map, MAP_FAILED);
	map[0] = 1;
	map[KIB(32)] = 1;
	file = fopen("/proc/self/smaps", "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(smaps_sum(file, st.st_dev, st.st_ino, &mapped), 0);
	fclose(file);
	ck_assert_uint_eq(mapped.size, KIB(64));
	ck_assert_uint_eq(mapped.resident, KIB(8));
	ck_assert_uint_eq(mapped.page_size, KIB(4));
	munmap(map, KIB(64));
	close(fd);
}
END_TEST

START_TEST(threads_of_this_process)
{
	char status[STATUS_MAX];
	pid_t tids[8];

	ck_assert_int_eq(threads_read(getpid(), tids, 8), 1);
	ck_assert_int_eq(tids[0], getpid());
	ck_assert_int_eq(status_read(getpid(), tids[0], status), 0);
	ck_assert_int_lt(status_read(getpid(), 1, status), 0);
	ck_assert(!thread_is_worker(getpid(), tids[0]));
}
END_TEST

/* Every word of the evidence is printed, in its order, and no line is too long. */
START_TEST(lines_fit)
{
	struct guarantee row = { .name = "memory.mapped", .state = GUARANTEE_NOT_HAD };
	char line[GUARANTEE_WIDTH], all[GUARANTEE_TEXT * 2] = "";
	unsigned int lines = 0;
	size_t at = 0;

	for (int i = 0; i < 60; i++)
		snprintf(row.evidence + strlen(row.evidence), sizeof(row.evidence) - strlen(row.evidence), "%sw%d",
			 i ? " " : "", i);
	do {
		at = guarantee_line(&row, at, 18, line);
		ck_assert_uint_le(strlen("nohype: ") + strlen(line), 100);
		ck_assert_int_eq(strncmp(line, lines ? "                " : "  memory.mapped   not to be had here  ",
					 lines ? 16 : 38),
				 0);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", lines ? " " : "", line + 38);
		lines++;
	} while (at && lines < 20);
	ck_assert_str_eq(all, row.evidence);
	ck_assert_uint_gt(lines, 2);
}
END_TEST

START_TEST(a_word_without_end_is_cut)
{
	struct guarantee row = { .name = "cores", .state = GUARANTEE_HELD };
	char line[GUARANTEE_WIDTH];
	size_t at;

	memset(row.evidence, 'x', 150);
	at = guarantee_line(&row, 0, 4, line);
	ck_assert_uint_gt(at, 10);
	ck_assert_uint_eq(guarantee_line(&row, at, 4, line), at * 2 < 150 ? at * 2 : 0);
}
END_TEST

START_TEST(table_and_json)
{
	struct guarantees some = { .count = 2 };
	struct capture cap;
	json_t *json;
	char *said;

	some.rows[0].name = "cores.isolated";
	guarantee_set(&some.rows[0], GUARANTEE_HELD, "core %d", 7);
	some.rows[1].name = "memory.fixed";
	guarantee_set(&some.rows[1], GUARANTEE_NOT_HELD, "a \"quote\"");
	ck_assert_int_eq(capture_begin(&cap), 0);
	guarantees_print(&some);
	said = capture_end(&cap);
	ck_assert_str_eq(said, "nohype: guarantees, as read back from the kernel:\n"
			       "nohype:   cores.isolated  held      core 7\n"
			       "nohype:   memory.fixed    not held  a \"quote\"\n");
	free(said);
	json = guarantees_json(&some);
	ck_assert_uint_eq(json_array_size(json), 2);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json, 1), "state")), "not held");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json, 1), "evidence")), "a \"quote\"");
	json_decref(json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guarantees");
	TCase *tc = tcase_create("guarantees");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, cpu_lists, 0, ARRAY_SIZE(lists));
	tcase_add_test(tc, status_lines);
	tcase_add_test(tc, smaps_of_one_file);
	tcase_add_test(tc, smaps_of_this_process);
	tcase_add_test(tc, threads_of_this_process);
	tcase_add_test(tc, lines_fit);
	tcase_add_test(tc, a_word_without_end_is_cut);
	tcase_add_test(tc, table_and_json);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
