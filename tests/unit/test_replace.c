// SPDX-License-Identifier: GPL-2.0-only
/* A file that takes another's place: as a whole, and without a name until then, for whoever is killed on the way. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/file.h"
#include "base/replace.h"

static char top[32], path[64];
static int watch;

static void folder_make(void)
{
	strcpy(top, "/tmp/test-replace-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/file", top);
	watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	ck_assert_int_ge(inotify_add_watch(watch, top, IN_CREATE), 0);
}

static void folder_remove(void)
{
	close(watch);
	unlink(path);
	ck_assert_int_eq(rmdir(top), 0); /* nothing else is in it */
}

/* Has anything got a name there since it was last asked? */
static bool named(void)
{
	char events[4096];

	return read(watch, events, sizeof(events)) > 0;
}

/* Where the file system makes files without a name. */
static bool can_be_nameless(void)
{
	int fd = open(top, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void content_is(const char *wanted)
{
	char *text = file_get(path);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(no_name_until_it_is_whole)
{
	struct replacement replacement;
	FILE *file;

	folder_make();
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_int_eq(replace_open(&replacement, path, "test"), 0);
		file = replace_begin(&replacement);
		ck_assert_ptr_nonnull(file);
		ck_assert_int_gt(fprintf(file, "number %u", i), 0);
		ck_assert_int_eq(fflush(file), 0);
		ck_assert(!can_be_nameless() || !named());
		ck_assert_int_eq(replace_commit(&replacement), 0);
		replace_close(&replacement);
		ck_assert(named());
		content_is(i ? "number 1" : "number 0");
	}
	folder_remove();
}
END_TEST

START_TEST(not_committed)
{
	struct replacement replacement;

	folder_make();
	ck_assert_int_eq(replace_open(&replacement, path, "test"), 0);
	ck_assert_ptr_nonnull(replace_begin(&replacement));
	replace_close(&replacement);
	ck_assert_int_eq(replace_open(&replacement, path, "test"), 0);
	replace_close(&replacement);
	ck_assert(!can_be_nameless() || !named());
	ck_assert_int_ne(access(path, F_OK), 0);
	folder_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("replace");
	TCase *tc = tcase_create("replace");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, no_name_until_it_is_whole);
	tcase_add_test(tc, not_committed);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
