// SPDX-License-Identifier: GPL-2.0-only
/* Lives that nobody is left to end. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/claim.h"
#include "base/file.h"
#include "base/record.h"
#include "base/util.h"
#include "memmap/record.h"
#include "vmm/recover/recover.h"

static char folder[] = "/tmp/test-recover-XXXXXX";
static char run[sizeof(folder)];

static void folder_make(void)
{
	char path[256];

	strcpy(run, folder);
	ck_assert_ptr_nonnull(mkdtemp(run));
	snprintf(path, sizeof(path), "%s/vm", run);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void folder_remove(void)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", run);
	ck_assert_int_eq(system(command), 0);
}

/* A life with a record of each of @states; its fd. */
static int life_make(const char *name, const char *const *states)
{
	char path[256], text[64];
	int fd;

	snprintf(path, sizeof(path), "%s/vm/%s", run, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	strcat(path, "/life");
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(record_append(fd, "{\"run\":1}"), 0);
	for (; *states; states++) {
		snprintf(text, sizeof(text), "{\"state\":\"%s\",\"core\":0}", *states);
		ck_assert_int_eq(record_append(fd, text), 0);
	}
	return fd;
}

static const char *const sealed[] = { "planned", "prepared", "booting", "sealed", NULL };
static const char *const ended[] = { "planned", "gone", NULL };

/* Its last record, which is whole, of @count. */
static json_t *life_last(int fd, unsigned int count)
{
	static char text[RECORD_MAX];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	char *at = text, *record, *last = NULL;
	unsigned int bad = 0, found = 0;

	while ((record = record_next(&at, text + len, &bad))) {
		last = record;
		found++;
	}
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(found, count);
	ck_assert_ptr_eq(at, text + len);
	return json_loads(last, 0, NULL);
}

static size_t lives_recovered(bool by_manager)
{
	struct recovered recovered = RECOVERED_NONE;
	size_t count;

	ck_assert_int_eq(recover_lives(&recovered, run, run), 0);
	ck_assert_int_eq(recovered.by_manager, by_manager);
	count = json_array_size(recovered.lives);
	recovered_free(&recovered);
	return count;
}

START_TEST(without_end)
{
	int fd;
	json_t *end;

	folder_make();
	fd = life_make("web", sealed);
	close(life_make("done", ended));
	/* what was being written when all was killed */
	ck_assert_int_eq(write(fd, "0123456789abcdef {\"st", 21), 21);
	ck_assert_uint_eq(lives_recovered(false), 1);
	end = life_last(fd, 6);
	ck_assert_str_eq(json_string_value(json_object_get(end, "state")), "gone");
	ck_assert_str_eq(json_string_value(json_object_get(end, "memory")), MEMORY_NOT_CLEARED);
	json_decref(end);
	ck_assert_uint_eq(lives_recovered(false), 0); /* and once alone */
	close(fd);
	folder_remove();
}
END_TEST

START_TEST(held)
{
	int fd;

	folder_make();
	fd = life_make("web", sealed);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	ck_assert_uint_eq(lives_recovered(false), 0);
	json_decref(life_last(fd, 5));
	close(fd);
	folder_remove();
}
END_TEST

START_TEST(manager_runs)
{
	int fd, lock;

	folder_make();
	fd = life_make("web", sealed);
	lock = open(run, O_RDONLY | O_DIRECTORY);
	ck_assert_int_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
	ck_assert_uint_eq(lives_recovered(true), 0);
	close(lock);
	ck_assert_uint_eq(lives_recovered(false), 1);
	close(fd);
	folder_remove();
}
END_TEST

/* Claims of a process that was killed, as VM @name. */
static pid_t claims_of_dead(const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		const struct claim core = { .mode = CLAIM_ALONE, .what = "core 1", .note = "vCPU 0" };
		struct claims claims = CLAIMS_NONE;
		bool failed;

		claims.root = run;
		failed = claims_begin(&claims, name) || claims_add(&claims, &core, "here") || claims_commit(&claims);
		_exit(failed ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return pid;
}

/* What recover says of it, the other having a life in nohyped's folder if @told. */
static size_t claims_recovered(bool told)
{
	struct recovered recovered = RECOVERED_NONE;
	char path[256], text[64];
	size_t count;
	pid_t pid;

	folder_make();
	snprintf(path, sizeof(path), "%s/run", run);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	pid = claims_of_dead("web");
	if (told) {
		int fd = life_make("web", ended);

		snprintf(text, sizeof(text), "{\"state\":\"gone\",\"pid\":%d}", (int)pid);
		ck_assert_int_eq(record_append(fd, text), 0);
		close(fd);
	}
	ck_assert_int_eq(recover_lives(&recovered, run, run), 0);
	ck_assert_int_eq(recover_claims(&recovered, run, run, run, "recover"), 0);
	count = json_array_size(recovered.lives);
	if (count)
		ck_assert_str_eq(json_string_value(json_object_get(json_array_get(recovered.lives, 0), "memory")),
				 MEMORY_NOT_CLEARED);
	recovered_free(&recovered);
	ck_assert_int_eq(recover_claims(&recovered, run, run, run, "recover"), 0);
	ck_assert_uint_eq(json_array_size(recovered.lives), 0); /* and once alone */
	recovered_free(&recovered);
	folder_remove();
	return count;
}

/* What supervisor @pid of VM @name has left, in @file: 2 MiB with a secret. Its fd. */
static int memory_left(const char *file, pid_t pid)
{
	char path[256], boot[BOOT_ID_SIZE];
	struct stat st;
	FILE *record;
	int fd;

	snprintf(path, sizeof(path), "%s/pages", run);
	ck_assert(!mkdir(path, 0700) || errno == EEXIST);
	snprintf(path, sizeof(path), "%s/pages/%s", run, file);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)MIB(2)), 0);
	ck_assert_int_eq(pwrite(fd, "secret", 6, 4096), 6);
	ck_assert_int_eq(fstat(fd, &st) || boot_id_read(boot, ""), 0);
	snprintf(path, sizeof(path), "%s/memory.%s", run, file);
	record = fopen(path, "we");
	ck_assert_ptr_nonnull(record);
	fprintf(record, "nohype memory 1\nboot %s\npid %d\nclear 1\nfolder %s/pages\ninode %llu\n", boot, (int)pid, run,
		(unsigned long long)st.st_ino);
	fclose(record);
	return fd;
}

/* Cleared, and removed with its record; or as it was. Closes @fd. */
static void memory_is(int fd, const char *file, bool cleared)
{
	char path[256], word[6] = "";

	ck_assert_int_eq(pread(fd, word, 6, 4096), 6);
	ck_assert_mem_eq(word, cleared ? "\0\0\0\0\0\0" : "secret", 6);
	close(fd);
	snprintf(path, sizeof(path), "%s/pages/%s", run, file);
	ck_assert_int_eq(access(path, F_OK), cleared ? -1 : 0);
	snprintf(path, sizeof(path), "%s/memory.%s", run, file);
	ck_assert_int_eq(access(path, F_OK), cleared ? -1 : 0);
}

static const char *life_memory(const struct recovered *recovered, size_t i)
{
	return json_string_value(json_object_get(json_array_get(recovered->lives, i), "memory"));
}

static unsigned int lines_count(const char *text)
{
	unsigned int count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

START_TEST(memory_of_a_life)
{
	struct recovered recovered = RECOVERED_NONE;
	int fd, memory, rings;
	json_t *end;

	folder_make();
	fd = life_make("web", sealed);
	ck_assert_int_eq(record_append(fd, "{\"state\":\"sealed\",\"pid\":7}"), 0);
	memory = memory_left("web", 7);
	rings = memory_left("web~rings", 7);
	/* a life without an end is for who ends it */
	ck_assert_int_eq(recover_memory(&recovered, run, run, "nohyped"), 0);
	ck_assert_uint_eq(json_array_size(recovered.lives), 0);
	ck_assert_int_eq(recover_lives(&recovered, run, run), 0);
	ck_assert_str_eq(life_memory(&recovered, 0), "cleared by recover");
	memory_is(memory, "web", true);
	memory_is(rings, "web~rings", true);
	end = life_last(fd, 7);
	ck_assert_str_eq(json_string_value(json_object_get(end, "memory")), "cleared by recover");
	ck_assert_int_eq(json_integer_value(json_object_get(end, "cleared_bytes")), MIB(2));
	json_decref(end);
	close(fd);
	recovered_free(&recovered);
	folder_remove();
}
END_TEST

START_TEST(memory_of_claims)
{
	struct recovered recovered = RECOVERED_NONE;
	char path[256];
	int memory;

	folder_make();
	snprintf(path, sizeof(path), "%s/run", run);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	memory = memory_left("web", claims_of_dead("web"));
	ck_assert_int_eq(recover_claims(&recovered, run, run, run, "nohyped"), 0);
	ck_assert_uint_eq(json_array_size(recovered.lives), 1);
	ck_assert_str_eq(life_memory(&recovered, 0), "cleared by nohyped");
	memory_is(memory, "web", true);
	recovered_free(&recovered);
	folder_remove();
}
END_TEST

/* Whatever it is called; its rings with it, and no second time. Not of one that lives, nor where others may write to
 * its folder or to the one above. */
START_TEST(memory_alone)
{
	struct recovered recovered = RECOVERED_NONE;
	int memory, rings, living, lock;
	char path[256];

	folder_make();
	memory = memory_left("strings", 7);
	rings = memory_left("strings~rings", 7);
	living = memory_left("web", 8);
	snprintf(path, sizeof(path), "%s/memory.web", run);
	lock = open(path, O_RDWR);
	ck_assert_int_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
	ck_assert_int_eq(recover_memory(&recovered, run, run, "recover"), 0);
	ck_assert_uint_eq(json_array_size(recovered.lives), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(recovered.lives, 0), "vm")), "strings");
	ck_assert_str_eq(life_memory(&recovered, 0), "cleared by recover");
	recovered_free(&recovered);
	memory_is(memory, "strings", true);
	memory_is(rings, "strings~rings", true);
	close(lock);
	snprintf(path, sizeof(path), "%s/pages", run);
	for (int above = 0; above < 2; above++) {
		ck_assert_int_eq(chmod(path, above ? 0700 : 0777) || chmod(run, above ? 0770 : 0700), 0);
		recovered = RECOVERED_NONE;
		ck_assert_int_eq(recover_memory(&recovered, run, run, "recover"), -EPERM);
		ck_assert_str_eq(life_memory(&recovered, 0), MEMORY_STAYS);
		recovered_free(&recovered);
	}
	memory_is(living, "web", false);
	folder_remove();
}
END_TEST

/* Of a host that changed often: its end, which is beyond what one read has, is left alone. */
START_TEST(long_life)
{
	char text[512] = "{\"change\":\"";
	int fd;
	off_t end;

	folder_make();
	fd = life_make("web", sealed);
	memset(text + strlen(text), 'x', 400);
	strcpy(text + 412, "\"}");
	for (unsigned int i = 0; i < 400; i++)
		ck_assert_int_eq(record_append(fd, text), 0);
	ck_assert_int_eq(record_append(fd, "{\"state\":\"gone\",\"code\":5}"), 0);
	end = lseek(fd, 0, SEEK_END);
	ck_assert_int_gt(end, 2 * RECORD_MAX);
	ck_assert_uint_eq(lives_recovered(false), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), end);
	close(fd);
	folder_remove();
}
END_TEST

/* Each file is waited for once, and its VM named once, whether it is found by its claims or by its records. */
START_TEST(memory_stays)
{
	struct recovered recovered = RECOVERED_NONE;
	struct capture cap;
	char path[256], *said;
	int memory, rings;
	pid_t pid;

	folder_make();
	snprintf(path, sizeof(path), "%s/run", run);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	pid = claims_of_dead("web");
	memory = memory_left("web", pid);
	rings = memory_left("web~rings", pid);
	snprintf(path, sizeof(path), "%s/pages", run);
	ck_assert_int_eq(chmod(path, 0777), 0);
	for (int claimed = 1; claimed >= 0; claimed--) {
		ck_assert_int_eq(capture_begin(&cap), 0);
		ck_assert_int_eq(recover_claims(&recovered, run, run, run, "recover"), claimed ? -EPERM : 0);
		ck_assert_int_eq(recover_memory(&recovered, run, run, "recover"), claimed ? 0 : -EPERM);
		said = capture_end(&cap);
		ck_assert_uint_eq(json_array_size(recovered.lives), 1);
		ck_assert_str_eq(life_memory(&recovered, 0), MEMORY_STAYS);
		ck_assert_uint_eq(lines_count(said), 2); /* of the memory, and of the rings */
		free(said);
		recovered_free(&recovered);
		recovered = RECOVERED_NONE;
	}
	memory_is(memory, "web", false);
	memory_is(rings, "web~rings", false);
	folder_remove();
}
END_TEST

/* One that is cut stays with its file, and says so; an empty one goes: there was no file then. */
START_TEST(record_cut)
{
	struct recovered recovered = RECOVERED_NONE;
	struct capture cap;
	char path[256], *said;
	int memory;

	folder_make();
	memory = memory_left("web", 7);
	snprintf(path, sizeof(path), "%s/memory.web", run);
	ck_assert_int_eq(truncate(path, 20), 0);
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(capture_begin(&cap), 0);
		ck_assert_int_eq(recover_memory(&recovered, run, run, "recover"), -EBADMSG);
		said = capture_end(&cap);
		ck_assert_ptr_nonnull(strstr(
			said, "/memory.web\": cut or altered: \"web\", if it is in its folder, isn't cleared, and "
			      "stays: look at it, and remove both\n"));
		free(said);
	}
	memory_is(memory, "web", false);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(recover_memory(&recovered, run, run, "recover"), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_ptr_null(recovered.lives);
	folder_remove();
}
END_TEST

/* Before the next flock() who recovers removes this, or has its lock and is about to; @other: that has the name by
 * then. */
static struct {
	const char *path;
	bool locked;
	int other;
} meanwhile;

int flock(int fd, int how)
{
	const char *path = meanwhile.path;

	meanwhile.path = NULL;
	if (path && meanwhile.locked) {
		meanwhile.other = open(path, O_RDWR);
		syscall(SYS_flock, meanwhile.other, LOCK_EX | LOCK_NB);
	} else if (path) {
		unlink(path);
		meanwhile.other = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	}
	return (int)syscall(SYS_flock, fd, how);
}

/* A new record that was still empty was taken for a dead VM's: nobody may run on with it. */
START_TEST(record_taken)
{
	struct capture cap;
	char path[256], *said;
	int fd;

	folder_make();
	snprintf(path, sizeof(path), "%s/memory.web", run);
	for (int locked = 0; locked < 2; locked++) {
		meanwhile.path = path;
		meanwhile.locked = locked;
		ck_assert_int_eq(capture_begin(&cap), 0);
		ck_assert_int_eq(record_make(path, "memory.folder", "head", "tail\n"), -EAGAIN);
		said = capture_end(&cap);
		ck_assert_ptr_nonnull(
			strstr(said, "/memory.web\": taken for a dead VM's by who recovers: start it again\n"));
		free(said);
		ck_assert_int_eq(access(path, F_OK), 0); /* the other's */
		close(meanwhile.other);
		ck_assert_int_eq(unlink(path), 0);
	}
	fd = record_make(path, "memory.folder", "head", "tail\n");
	ck_assert_int_ge(fd, 0);
	close(fd);
	folder_remove();
}
END_TEST

/*
 * No fd is left for it, say: whether the record is of this boot can't be told, so it isn't taken for another's; and a
 * file that can't be opened isn't taken for gone.
 */
START_TEST(fds_at_their_end)
{
	static const char *const wanted[] = { "/memory.web\": Too many open files\n",
					      "/pages/web\": Too many open files\n" };
	struct recovered recovered = RECOVERED_NONE;
	struct rlimit before, few;
	struct capture cap;
	int memory;
	char *said;

	folder_make();
	memory = memory_left("web", 7);
	for (unsigned int more = 0; more < 2; more++) {
		ck_assert_int_eq(capture_begin(&cap), 0);
		ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
		few = before;
		few.rlim_cur = (rlim_t)dup(0); /* the record's; then the folder's */
		close((int)few.rlim_cur);
		few.rlim_cur += 1 + more;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		ck_assert_int_eq(recover_memory(&recovered, run, run, "recover"), -EMFILE);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
		said = capture_end(&cap);
		ck_assert_ptr_nonnull(strstr(said, wanted[more]));
		free(said);
	}
	recovered_free(&recovered);
	memory_is(memory, "web", false);
	folder_remove();
}
END_TEST

START_TEST(killed_without_nohyped)
{
	ck_assert_uint_eq(claims_recovered(false), 1);
	ck_assert_uint_eq(claims_recovered(true), 0);
}
END_TEST

START_TEST(no_folder)
{
	strcpy(run, "/absent");
	ck_assert_uint_eq(lives_recovered(false), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recover");
	TCase *tests = tcase_create("recover");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, without_end);
	tcase_add_test(tests, held);
	tcase_add_test(tests, manager_runs);
	tcase_add_test(tests, killed_without_nohyped);
	tcase_add_test(tests, memory_of_a_life);
	tcase_add_test(tests, memory_of_claims);
	tcase_add_test(tests, memory_alone);
	tcase_add_test(tests, memory_stays);
	tcase_add_test(tests, record_cut);
	tcase_add_test(tests, record_taken);
	tcase_add_test(tests, fds_at_their_end);
	tcase_add_test(tests, no_folder);
	tcase_add_test(tests, long_life);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
