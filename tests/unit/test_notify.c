// SPDX-License-Identifier: GPL-2.0-only
/* What a receiver checks a notification by; and that it gets all, whatever file they are in. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/record.h"
#include "vmm/system/notify.h"

/* RFC 4231, 4.3 */
START_TEST(signature)
{
	char hex[65];

	signature_make((const unsigned char *)"Jefe", 4, "what do ya want for nothing?", hex);
	ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

START_TEST(signature_long_key)
{
	unsigned char key[131];
	char hex[65];

	memset(key, 0xaa, sizeof(key)); /* RFC 4231, 4.7 */
	signature_make(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", hex);
	ck_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

static char top[] = "/tmp/test-notify-XXXXXX";

/* In a file called @name, events of the numbers from @first to @last. */
static void events_put(const char *name, int first, int last)
{
	char path[64], text[32];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	for (int id = first; id <= last; id++) {
		snprintf(text, sizeof(text), "{\"id\":%d}", id);
		ck_assert_int_eq(record_append(fd, text), 0);
	}
	close(fd);
}

/* What the command was given, as soon as that has @size bytes, or after a while. */
static const char *taken(size_t size)
{
	static char text[256];
	char path[64];
	struct stat st = { 0 };
	int fd;

	snprintf(path, sizeof(path), "%s/taken", top);
	for (unsigned int tries = 0; tries < 3000 && (stat(path, &st) || (size_t)st.st_size < size); tries++)
		poll(NULL, 0, 5);
	memset(text, 0, sizeof(text));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return text;
}

START_TEST(another_file_is_followed)
{
	struct targets targets = { .count = 1, .list = { { .name = "test" } } };
	static const char all[] = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n";
	char command[128], old[64], new[64];

	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(command, sizeof(command), "cat >>%s/taken", top);
	targets.list[0].command = json_pack("[s, s, s]", "/bin/sh", "-c", command);
	events_put("events", 1, 2);
	targets_run(&targets, top, 0);
	ck_assert_str_eq(taken(18), "{\"id\":1}\n{\"id\":2}\n");
	events_put("new", 0, 3);
	snprintf(old, sizeof(old), "%s/events", top);
	snprintf(new, sizeof(new), "%s/new", top);
	ck_assert_int_eq(rename(new, old), 0);
	taken(27);
	events_put("events", 4, 4);
	ck_assert_str_eq(taken(sizeof(all) - 1), all);
	kill(targets.list[0].pid, SIGKILL);
	waitpid(targets.list[0].pid, NULL, 0);
	json_decref(targets.list[0].command);
	snprintf(command, sizeof(command), "rm -r %s", top);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tests = tcase_create("notify");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, signature);
	tcase_add_test(tests, signature_long_key);
	tcase_add_test(tests, another_file_is_followed);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
