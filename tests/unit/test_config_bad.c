// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad configurations: each tests/unit/bad-config/NAME.json must be refused with exactly what NAME.expected holds.
 * Adding one is adding the two files. What is too big or too strange for a file in the tree is made here.
 */
#include <check.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/util.h"
#include "vmm/config/config.h"

#define FOLDER	  "tests/unit/bad-config"
#define CASES_MIN 200 /* so that a folder that isn't found is no success */

/* What reading and finishing @path says and returns; the text is the caller's. */
static int config_load(const char *path, char **messages)
{
	struct vm_config cfg;
	struct capture cap;
	int err;

	config_init(&cfg);
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = config_read(&cfg, path);
	if (!err)
		err = config_finish(&cfg, path);
	*messages = capture_end(&cap);
	ck_assert_ptr_nonnull(*messages);
	config_free(&cfg);
	return err;
}

static char *file_text(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *file = fopen(path, "r");

	ck_assert_msg(file, "%s: %s", path, strerror(errno));
	ck_assert_uint_lt(fread(text, 1, 65535, file), 65535);
	fclose(file);
	return text;
}

START_TEST(bad_file)
{
	char *found, *wanted, expected[PATH_MAX];
	const char *name;
	glob_t cases;
	int err;

	ck_assert_int_eq(chdir(FOLDER), 0);
	ck_assert_int_eq(glob("*.json", 0, NULL, &cases), 0);
	name = cases.gl_pathv[_i];
	snprintf(expected, sizeof(expected), "%.*s.expected", (int)(strlen(name) - strlen(".json")), name);
	wanted = file_text(expected);
	err = config_load(name, &found);
	ck_assert_msg(err == -EINVAL, "%s: returned %d", name, err);
	ck_assert_msg(strcmp(found, wanted) == 0, "%s: found:\n%s\nwanted:\n%s", name, found, wanted);
	free(found);
	free(wanted);
	globfree(&cases);
}
END_TEST

START_TEST(every_case_has_both_files)
{
	glob_t json, expected;

	ck_assert_int_eq(glob(FOLDER "/*.json", 0, NULL, &json), 0);
	ck_assert_int_eq(glob(FOLDER "/*.expected", 0, NULL, &expected), 0);
	ck_assert_uint_ge(json.gl_pathc, CASES_MIN);
	ck_assert_uint_eq(json.gl_pathc, expected.gl_pathc);
	globfree(&json);
	globfree(&expected);
}
END_TEST

static void expect(const char *path, int err, const char *wanted)
{
	char *found;
	int got = config_load(path, &found);

	ck_assert_str_eq(found, wanted);
	ck_assert_int_eq(got, err);
	free(found);
}

/* A file that nothing of remains: its path is put into @path. */
static void file_make(char path[32], const char *text, size_t len)
{
	int fd = memfd_create("vm.json", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

START_TEST(not_a_file)
{
	expect("no-such.json", -ENOENT, "nohype: error: no-such.json: No such file or directory\n");
	expect("", -EINVAL, "nohype: error: \"\": wanted a configuration file's name\n");
	expect("tests", -EISDIR, "nohype: error: tests: a directory: wanted a configuration file\n");
	expect("Makefile/x", -ENOTDIR, "nohype: error: Makefile/x: Not a directory\n");
	expect("/dev/zero", -EINVAL, "nohype: error: /dev/zero: not a regular file: wanted a configuration file\n");
}
END_TEST

/* Nobody writes to it: must not wait. */
START_TEST(a_pipe)
{
	char path[32], wanted[128];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	snprintf(wanted, sizeof(wanted), "nohype: error: %s: not a regular file: wanted a configuration file\n", path);
	expect(path, -EINVAL, wanted);
}
END_TEST

START_TEST(too_big)
{
	static const size_t sizes[] = { MIB(10), VM_CONFIG_MAX + 1 };
	char *text = malloc(MIB(10)), path[32], wanted[128];

	memset(text, ' ', MIB(10));
	memcpy(text, "{ \"kernel\": \"k\" }", 17);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		file_make(path, text, sizes[i]);
		snprintf(wanted, sizeof(wanted), "nohype: error: %s: more than 1 MiB: too big for a configuration\n",
			 path);
		expect(path, -EFBIG, wanted);
	}
	file_make(path, text, VM_CONFIG_MAX);
	expect(path, 0, "");
	free(text);
}
END_TEST

/* A file of the largest size that is all errors: a few messages, and soon. */
START_TEST(errors_by_the_megabyte)
{
	char *text = malloc(VM_CONFIG_MAX), *found, path[32];
	size_t len = 1, lines = 0;

	text[0] = '{';
	for (unsigned int i = 0; len < VM_CONFIG_MAX - 32; i++)
		len += (size_t)sprintf(text + len, "%s\n\"k%u\":0", i ? "," : "", i);
	text[len++] = '}';
	file_make(path, text, len);
	ck_assert_int_eq(config_load(path, &found), -EINVAL);
	for (const char *p = found; *p; p++)
		lines += *p == '\n';
	ck_assert_uint_eq(lines, 20);
	ck_assert_ptr_nonnull(strstr(found, ": more errors: not shown\n"));
	free(text);
	free(found);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config_bad");
	TCase *tc = tcase_create("config_bad");
	SRunner *runner = srunner_create(suite);
	glob_t cases = { 0 };
	int failed;

	glob(FOLDER "/*.json", 0, NULL, &cases);
	tcase_add_loop_test(tc, bad_file, 0, (int)cases.gl_pathc);
	globfree(&cases);
	tcase_add_test(tc, every_case_has_both_files);
	tcase_add_test(tc, not_a_file);
	tcase_add_test(tc, a_pipe);
	tcase_add_test(tc, too_big);
	tcase_add_test(tc, errors_by_the_megabyte);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
