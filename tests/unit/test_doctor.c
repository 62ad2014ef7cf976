// SPDX-License-Identifier: GPL-2.0-only
/* The doctor's table, what it makes of values, and that no content of the kernel's files brings it down. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/doctor/internal.h"

static const char *const groups[] = { "kvm", "cpu", "irq", "memory", "iommu", "cache", "security" };

START_TEST(rows_are_complete)
{
	size_t count = 0, in_group[ARRAY_SIZE(groups)] = { 0 };
	const struct check *check;

	for (; (check = check_at(count)); count++) {
		size_t group = 0;

		while (group < ARRAY_SIZE(groups) && ((size_t)check_group_len(check) != strlen(groups[group]) ||
						      strncmp(check->id, groups[group], strlen(groups[group])) != 0))
			group++;
		ck_assert_msg(group < ARRAY_SIZE(groups), "%s: in no group", check->id);
		if (group < ARRAY_SIZE(groups)) /* cppcheck doesn't know Check */
			in_group[group]++;
		ck_assert_ptr_nonnull(check->look);
		ck_assert_msg(check->id[check_group_len(check)] == '.' && check->id[check_group_len(check) + 1], "%s",
			      check->id);
		ck_assert_msg(*check->source && *check->wanted && *check->documentation, "%s", check->id);
		ck_assert_msg(check->levels && check->fix && check->fix_boot, "%s", check->id);
	}
	ck_assert_uint_ge(count, 66);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		ck_assert_uint_ge(in_group[i], 5);
}
END_TEST

START_TEST(rows_differ)
{
	const struct check *a, *b;

	for (size_t i = 0; (a = check_at(i)); i++)
		for (size_t j = 0; j < i; j++) {
			b = check_at(j);
			ck_assert_str_ne(a->id, b->id);
			ck_assert_msg(strcmp(a->source, b->source) != 0, "%s and %s read the same", a->id, b->id);
		}
}
END_TEST

/* What fix_expand doesn't know would stay: "{" belongs to no command of ours. */
START_TEST(fixes_expand)
{
	struct doctor doctor = { .root = -1, .kvm = -1, .module = "kvm_amd" };
	const struct check *check;

	CPU_SET(2, &doctor.cores);
	CPU_SET(3, &doctor.cores);
	CPU_SET(0, &doctor.others);
	CPU_SET(40, &doctor.others);
	for (size_t i = 0; (check = check_at(i)); i++) {
		char *fix = fix_expand(check->fix, &doctor), *boot = fix_expand(check->fix_boot, &doctor);

		ck_assert_msg(!strpbrk(boot, "{}\n"), "%s: %s", check->id, boot);
		ck_assert_msg(!strstr(fix, "{") || strstr(fix, "${"), "%s: %s", check->id, fix);
		free(fix);
		free(boot);
	}
}
END_TEST

static const struct {
	const char *text, *module, *expanded;
} fixes[] = {
	{ "a {cores} b", "kvm_amd", "a 2-3 b" },
	{ "{each}/{others}", "kvm_amd", "2 3/0,40" },
	{ "{others_mask}", "kvm_amd", "100,00000001" },
	{ "{module}.{npt|ept}=1", "kvm_amd", "kvm_amd.npt=1" },
	{ "{module}.{npt|ept}=1", "kvm_intel", "kvm_intel.ept=1" },
	{ "\"${i##*/}\" {", "kvm_amd", "\"${i##*/}\" {" },
	{ "{nothing} {cores", "kvm_amd", "{nothing} {cores" },
	{ "", "kvm_amd", "" },
};

START_TEST(words_of_fixes)
{
	struct doctor doctor = { .root = -1, .kvm = -1, .module = fixes[_i].module };
	char *text;

	CPU_SET(2, &doctor.cores);
	CPU_SET(3, &doctor.cores);
	CPU_SET(0, &doctor.others);
	CPU_SET(40, &doctor.others);
	text = fix_expand(fixes[_i].text, &doctor);
	ck_assert_str_eq(text, fixes[_i].expanded);
	free(text);
}
END_TEST

START_TEST(words_without_a_host)
{
	char *text = fix_expand("{module}.{npt|ept}={cores}", NULL);

	ck_assert_str_eq(text, "MODULE.npt|ept=CORES");
	free(text);
}
END_TEST

static const struct {
	const char *text, *wanted;
	bool is;
} values[] = {
	{ "0", "0", true },
	{ "1", "0", false },
	{ "00", "0", false },
	{ "2", "0 or 2", true },
	{ "1", "0 or 2", false },
	{ "N", "N", true },
	{ "0", "N", true },
	{ "Y", "N", false },
	{ "1", "Y", true },
	{ "never", "madvise or never", true },
	{ "mad", "madvise or never", false },
	{ "madvise or never", "madvise or never", false },
	{ "10", "10 or more", true },
	{ "9", "10 or more", false },
	{ "-1", "1 or more", false },
	{ "99999999999999999999", "10 or more", false },
	{ "", "10 or more", false },
	{ "ten", "10 or more", false },
	{ "1000", "1000 or less", true },
	{ "1001", "1000 or less", false },
	{ "-1", "-1", true },
	{ "", "0", false },
};

START_TEST(values_wanted)
{
	ck_assert_msg(value_wanted(values[_i].text, values[_i].wanted) == values[_i].is, "\"%s\" for \"%s\"",
		      values[_i].text, values[_i].wanted);
}
END_TEST

START_TEST(choices)
{
	static const char *const texts[][2] = {
		{ "always [madvise] never", "madvise" },
		{ "[none] integrity", "none" },
		{ "plain", "plain" },
		{ "]odd[", "]odd[" },
		{ "[", "[" },
		{ "[]", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s", texts[i][0]);
		value_chosen(text);
		ck_assert_str_eq(text, texts[i][1]);
	}
}
END_TEST

static const struct {
	const char *text, *set; /* set NULL: refused */
	bool mask;
} sets[] = {
	{ "0-3,7", "0-3,7", false }, { "", "none", false },	  { "5", "5", false },
	{ "(null)", NULL, false },   { "1-2x", NULL, false },	  { "0-99999999999999999999", "0-1023", false },
	{ "3-1", "none", false },    { "f", "0-3", true },	  { "1,00000003", "0-1,32", true },
	{ "", NULL, true },	     { "xyz", NULL, true },	  { "1,3", NULL, true },
	{ "123456789", NULL, true }, { ",00000001", NULL, true }, { "80000000,00000000", "63", true },
};

START_TEST(cpu_sets)
{
	char text[128];
	cpu_set_t set;
	int err = sets[_i].mask ? mask_parse(sets[_i].text, &set) : list_parse(sets[_i].text, &set);

	ck_assert_msg(err == (sets[_i].set ? 0 : -EINVAL), "\"%s\": %d", sets[_i].text, err);
	if (sets[_i].set)
		ck_assert_str_eq(list_text(&set, text, sizeof(text)), sets[_i].set);
}
END_TEST

/* However many CPUs there are, what people read fits, and says that it was cut. */
START_TEST(long_sets_are_cut)
{
	char text[80];
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu += 2)
		CPU_SET(cpu, &set);
	list_text(&set, text, sizeof(text));
	ck_assert_str_eq(text + strlen(text) - 4, ",...");
}
END_TEST

START_TEST(names_are_cut)
{
	struct names names = { 0 };

	for (int i = 0; i < 100; i++)
		name_add(&names, "name%d", i);
	names_end(&names);
	ck_assert_ptr_nonnull(strstr(names.text, "name0, name1, "));
	ck_assert_ptr_nonnull(strstr(names.text, " more"));
	ck_assert_uint_eq(names.count, 100);
}
END_TEST

/* --- odd hosts --- */

static char root[64];

/* All folders above @path, which is changed and put back. */
static void folders_make(char *path)
{
	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0755);
		*at = '/';
	}
}

/* What can't be made, as there is a file where it wants a folder, isn't there. */
static void file_make(const char *path, const void *bytes, size_t size)
{
	char full[PATH_SIZE + sizeof(root)];
	int fd;

	snprintf(full, sizeof(full), "%s%s", root, path);
	folders_make(full);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return;
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

/* Each path of the table's, with 0 for "*": the longer ones first, so that folders are folders. */
static void sources_make(const void *bytes, size_t size)
{
	const struct check *check;

	for (size_t len = PATH_SIZE; len > 0; len--)
		for (size_t i = 0; (check = check_at(i)); i++) {
			char paths[512], *rest = paths, *path;

			snprintf(paths, sizeof(paths), "%s", check->source);
			while ((path = strtok_r(rest, ", ", &rest))) {
				path[strcspn(path, ":")] = '\0';
				for (char *at = path; (at = strchr(at, '*'));)
					*at = '0';
				if (*path == '/' && strlen(path) == len)
					file_make(path, bytes, size);
			}
		}
}

static void others_make(const void *bytes, size_t size)
{
	static const char *const paths[] = {
		"/sys/bus/pci/devices/0/class",
		"/sys/bus/pci/devices/0/iommu_group/devices/1",
		"/sys/class/iommu/0/amd-iommu/features",
		"/sys/devices/system/cpu/cpu0/cpuidle/state0/latency",
		"/sys/devices/system/cpu/cpu0/cpuidle/state0/name",
		"/sys/devices/system/edac/mc/mc0/x",
		"/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages",
		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
		"/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages",
		"/sys/module/kvm_amd/parameters/avic",
		"/proc/1/comm",
		"/proc/1/task/1/status",
		"/proc/cpuinfo",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		file_make(paths[i], bytes, size);
}

static int entry_remove(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st;
	(void)kind;
	(void)place;
	return remove(path);
}

static void printable(const char *id, const char *text)
{
	ck_assert_msg(*text, "%s: found nothing", id);
	for (; *text; text++)
		ck_assert_msg(*text >= ' ' && *text <= '~', "%s", id);
}

static size_t odd_size(int which)
{
	return which == 0 ? 0 : which == 1 ? 1 << 17 : 4096;
}

/* Nothing; a line without end; no text at all; zeroes; numbers and lists out of all bounds; lines without number. */
static void odd_content(char *bytes, int which)
{
	static const char *const texts[] = { "x",  "x",	 "\xff\x01\x9b\n", "", "0-99999999999999999999,",
					     "\n", "@@", "flags : [" };
	size_t size = odd_size(which), len = strlen(texts[which]);

	for (size_t i = 0; i < size; i++)
		bytes[i] = len ? texts[which][i % len] : '\0';
}

START_TEST(odd_hosts)
{
	unsigned int cores[] = { 0 };
	char *bytes = malloc(1 << 17);
	struct diagnosis diagnosis;
	struct doctor doctor;
	json_t *json;

	ck_assert_ptr_nonnull(bytes);
	snprintf(root, sizeof(root), "/tmp/test-doctor.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	odd_content(bytes, _i);
	sources_make(bytes, odd_size(_i));
	others_make(bytes, odd_size(_i));
	file_make("/sys/devices/system/cpu/online", "0-1\n", 4);
	ck_assert_int_eq(doctor_open(&doctor, root, NULL, _i % 2 ? cores : NULL, _i % 2), 0);
	ck_assert_int_eq(diagnosis_make(&diagnosis, &doctor), 0);
	ck_assert(!diagnosis_is_good(&diagnosis, &doctor));
	for (size_t i = 0; i < diagnosis.count; i++) {
		ck_assert_int_le(diagnosis.rows[i].finding.status, CHECK_BAD);
		printable(diagnosis.rows[i].check->id, diagnosis.rows[i].finding.found);
	}
	json = diagnosis_json(&diagnosis, &doctor);
	ck_assert_uint_eq(json_array_size(json), diagnosis.count);
	json_decref(json);
	diagnosis_free(&diagnosis);
	doctor_close(&doctor);
	ck_assert_int_eq(nftw(root, entry_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(bytes);
}
END_TEST

/* A host of which nothing can be read: nothing that a file says may be held for good. */
START_TEST(empty_host)
{
	struct diagnosis diagnosis;
	struct doctor doctor;

	snprintf(root, sizeof(root), "/tmp/test-doctor.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(doctor_open(&doctor, root, NULL, NULL, 0), 0);
	ck_assert_int_eq(diagnosis_make(&diagnosis, &doctor), 0);
	for (size_t i = 0; i < diagnosis.count; i++) {
		const struct check *check = diagnosis.rows[i].check;

		if (check->use == USE_REQUIRED && check->source[0] == '/')
			ck_assert_msg(diagnosis.rows[i].finding.status >= CHECK_UNKNOWN ||
					      diagnosis.rows[i].finding.status == CHECK_NOTE,
				      "%s: %s", check->id, diagnosis.rows[i].finding.found);
	}
	diagnosis_free(&diagnosis);
	doctor_close(&doctor);
	ck_assert_int_eq(rmdir(root), 0);
}
END_TEST

/* --- what is asked --- */

/* Of the rows about shares those that the VM asks for, and then it can't be without them. */
START_TEST(shares_that_matter)
{
	struct vm_config vm = { .seal_level = SEAL_STRICT, .page_size = KIB(4), .vcpus = 1 };
	static const char *const wanted[] = { "cache.resctrl", "cache.l3_allocation" };
	struct doctor doctor = { .vm = &vm };
	const struct check *check;
	size_t found = 0;

	vm.cache.l3.kind = SHARE_WAYS;
	for (size_t i = 0; (check = check_at(i)); i++) {
		if (!(check->only & ONLY_SHARES) || !check_matters(&doctor, check))
			continue;
		ck_assert_uint_lt(found, ARRAY_SIZE(wanted));
		ck_assert_str_eq(check->id, wanted[found++]);
		ck_assert(check_decides(&doctor, check));
	}
	ck_assert_uint_eq(found, ARRAY_SIZE(wanted));
}
END_TEST

START_TEST(what_matters)
{
	struct vm_config vm = { .seal_level = SEAL_STRICT, .page_size = KIB(4), .vcpus = 1 };
	struct doctor doctor = { .vm = &vm };
	const struct check *check;

	for (size_t i = 0; (check = check_at(i)); i++) {
		bool silent = check->levels == LEVEL(SEAL_SILENT), big = check->only & (ONLY_2M | ONLY_1G);

		vm.seal_level = SEAL_STRICT;
		if (silent || big || check->only & (ONLY_FUNCTIONS | ONLY_SHARES))
			ck_assert_msg(!check_matters(&doctor, check), "%s", check->id);
		else if (!check->only && check->levels & LEVEL(SEAL_STRICT))
			ck_assert_msg(check_matters(&doctor, check), "%s", check->id);
		vm.seal_level = SEAL_SILENT;
		if (silent && !check->only)
			ck_assert_msg(check_matters(&doctor, check), "%s", check->id);
		ck_assert(check_decides(&doctor, check) ==
			  (check->use == USE_REQUIRED || check->use == USE_EXITLESS || check->only & ONLY_SHARES));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("doctor");
	TCase *tc = tcase_create("doctor");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, rows_are_complete);
	tcase_add_test(tc, rows_differ);
	tcase_add_test(tc, fixes_expand);
	tcase_add_loop_test(tc, words_of_fixes, 0, ARRAY_SIZE(fixes));
	tcase_add_test(tc, words_without_a_host);
	tcase_add_loop_test(tc, values_wanted, 0, ARRAY_SIZE(values));
	tcase_add_test(tc, choices);
	tcase_add_loop_test(tc, cpu_sets, 0, ARRAY_SIZE(sets));
	tcase_add_test(tc, long_sets_are_cut);
	tcase_add_test(tc, names_are_cut);
	tcase_add_loop_test(tc, odd_hosts, 0, 8);
	tcase_add_test(tc, empty_host);
	tcase_add_test(tc, what_matters);
	tcase_add_test(tc, shares_that_matter);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
