// SPDX-License-Identifier: GPL-2.0-only
/* What fuzzing has found out, once more: each input of a fuzzer's corpus, without libFuzzer. CORPUS is its folder. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef CORPUS /* for tools that read this file without the Makefile */
#define CORPUS "tests/fuzz/corpus"
#endif

#define INPUT_MAX (1 << 20) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dirent **inputs;

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The messages are about nonsense, and of no interest; the name is, if it doesn't come back. */
START_TEST(input_is_survived)
{
	uint8_t *bytes = malloc(INPUT_MAX);
	int folder = open(CORPUS, O_RDONLY | O_DIRECTORY), null = open("/dev/null", O_WRONLY), fd;
	ssize_t size;

	printf("%s/%s\n", CORPUS, inputs[_i]->d_name);
	fflush(stdout);
	fd = openat(folder, inputs[_i]->d_name, O_RDONLY);
	size = read(fd, bytes, INPUT_MAX);
	ck_assert_int_ge(size, 0);
	ck_assert_int_ge(dup2(null, STDERR_FILENO), 0);
	ck_assert_int_eq(LLVMFuzzerTestOneInput(bytes, (size_t)size), 0);
	close(fd);
	close(folder);
	close(null);
	free(bytes);
}
END_TEST

int main(void)
{
	int count = scandir(CORPUS, &inputs, is_input, alphasort), failed;
	Suite *suite = suite_create(CORPUS);
	TCase *tc = tcase_create(CORPUS);
	SRunner *runner = srunner_create(suite);

	if (count <= 0) {
		fprintf(stderr, "%s: no inputs\n", CORPUS);
		return EXIT_FAILURE;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, input_is_survived, 0, count);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
