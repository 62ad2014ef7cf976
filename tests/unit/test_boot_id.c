// SPDX-License-Identifier: GPL-2.0-only
/* Records of dead VMs say which boot they are of: another's go, and one that can't be judged stays. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/file.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "sriov/sriov.h"

/* No process has this number, and no host this device. */
#define PAGES	  "pages.4194304.2048"
#define FUNCTIONS "functions.4194304"
#define CARD	  "card.ffff:ff:1f.7"
#define NAMESPACE "namespace.ffff:ff:1f.7"

static char state[32];

static char *path_of(const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/%s", state, name);
	return path;
}

static bool is_there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static void record_put(const char *name, const char *before, const char *boot, const char *after)
{
	FILE *file = fopen(path_of(name), "we");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "%sboot %s%s\n", before, boot, after);
	fclose(file);
}

static void records_put(const char *boot)
{
	strcpy(state, "/tmp/test-boot-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state));
	record_put(PAGES, "nohype pages 1\n", boot, "\npage 2097152");
	record_put(FUNCTIONS, "nohype functions 1\n", boot, "");
	record_put(CARD, "", boot, "");
	record_put(NAMESPACE, "", boot, " clear 0");
}

/* What both say, in *@said, malloced; they agree on whether there was an error. */
static int records_recover(char **said)
{
	struct capture cap;
	unsigned int vms;
	uint64_t pages;
	int err, next;

	ck_assert_int_eq(capture_begin(&cap), 0);
	err = pool_recover(state, &pages);
	next = functions_recover(state, &vms);
	*said = capture_end(&cap);
	ck_assert_ptr_nonnull(*said);
	ck_assert_int_eq(err, next);
	ck_assert_uint_eq(pages, 0);
	return err;
}

static void state_remove(void)
{
	unlink(path_of("functions.lock"));
	unlink(path_of("pages.lock"));
	unlink(path_of(NAMESPACE));
	ck_assert_int_eq(rmdir(state), 0);
}

START_TEST(of_another_boot)
{
	char *said;

	records_put("00000000-0000-0000-0000-000000000000");
	ck_assert_int_eq(records_recover(&said), 0);
	ck_assert_str_eq(said, "");
	ck_assert(!is_there(PAGES) && !is_there(FUNCTIONS) && !is_there(CARD) && !is_there(NAMESPACE));
	free(said);
	state_remove();
}
END_TEST

/* The namespace is owed still: its controller isn't there. */
START_TEST(of_this_boot)
{
	char *said, boot[BOOT_ID_SIZE];

	ck_assert_int_eq(boot_id_read(boot, ""), 0);
	ck_assert_int_eq(boot_id_check(boot), 0);
	records_put(boot);
	ck_assert_int_eq(records_recover(&said), 0);
	ck_assert(!is_there(PAGES) && !is_there(FUNCTIONS) && !is_there(CARD) && is_there(NAMESPACE));
	free(said);
	state_remove();
}
END_TEST

START_TEST(of_nobody_knows)
{
	static const char *const names[] = { PAGES, FUNCTIONS, CARD, NAMESPACE };
	char *said;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return; /* only root can hide it */
	ck_assert_int_eq(mount("none", "/proc", "tmpfs", 0, NULL), 0);
	records_put("00000000-0000-0000-0000-000000000000");
	ck_assert_int_eq(records_recover(&said), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ck_assert_msg(is_there(names[i]), "%s", names[i]);
		ck_assert_msg(strstr(said, strchr(names[i], '.') + 1) != NULL, "%s: %s", names[i], said);
	}
	free(said);
	ck_assert_int_eq(umount("/proc"), 0);
	ck_assert_int_eq(records_recover(&said), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_msg(!is_there(names[i]), "%s", names[i]);
	free(said);
	state_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boot_id");
	TCase *tc = tcase_create("boot_id");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, of_another_boot);
	tcase_add_test(tc, of_this_boot);
	tcase_add_test(tc, of_nobody_knows);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
