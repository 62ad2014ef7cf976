// SPDX-License-Identifier: GPL-2.0-only
/* Claims: kept apart, seen by others, and gone with their holder however it ends. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/claim.h"

static char root[64];

/* A host of our own: claims are in its /run/nohype, whoever we are. */
static void setup(void)
{
	char path[128];

	strcpy(root, "/tmp/test-claim.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/run", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/run/nohype", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/run/nohype/claims", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

static struct claim core(unsigned int n)
{
	struct claim claim = { .mode = CLAIM_ALONE, .note = "vCPU 0" };

	snprintf(claim.what, sizeof(claim.what), "core %u", n);
	return claim;
}

static struct claims start(const char *vm)
{
	struct claims claims = CLAIMS_NONE;

	claims.root = root;
	ck_assert_int_eq(claims_begin(&claims, vm), 0);
	return claims;
}

static int add(struct claims *claims, struct claim claim)
{
	return claims_add(claims, &claim, "here");
}

static struct claims take(const char *vm, unsigned int n)
{
	struct claims claims = start(vm);

	ck_assert_int_eq(add(&claims, core(n)), 0);
	ck_assert_int_eq(claims_commit(&claims), 0);
	return claims;
}

/* What is refused, and what is said. */
static void refused(const char *vm, struct claim claim, const char *format)
{
	char message[256], *text;
	struct claims claims;
	struct capture cap;
	int err;

	ck_assert_int_eq(capture_begin(&cap), 0);
	claims = start(vm);
	err = add(&claims, claim);
	text = capture_end(&cap);
	claims_release(&claims);
	snprintf(message, sizeof(message), format, (int)getpid(), (unsigned int)geteuid());
	ck_assert_int_eq(err, -EBUSY);
	ck_assert_str_eq(text, message);
	free(text);
}

static size_t held(void)
{
	struct claim_holders holders;
	size_t count;

	ck_assert_int_eq(claims_read(&holders, root), 0);
	count = holders.count;
	claims_free(&holders);
	return count;
}

static unsigned int files(void)
{
	char command[160];
	unsigned int count = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls %s/run/nohype/claims | wc -l", root);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_int_eq(fscanf(pipe, "%u", &count), 1);
	pclose(pipe);
	return count;
}

START_TEST(one_has_it)
{
	struct claims web = take("web", 3), other;
	const struct claim *claim = NULL;
	const struct claim_holder *holder;

	refused("db", core(3),
		"nohype: error: here: core 3 is promised to VM \"web\" (process %d of user %u): end that, or ask for "
		"another\n");
	other = start("db");
	holder = claims_find(&other.others, "core 3", &claim);
	ck_assert_ptr_nonnull(holder);
	ck_assert_str_eq(holder->vm, "web");
	ck_assert_int_eq(holder->pid, getpid());
	ck_assert_str_eq(claim->note, "vCPU 0");
	ck_assert_ptr_null(claims_find(&other.others, "core 33", NULL));
	ck_assert_int_eq(add(&other, core(2)), 0);
	ck_assert_int_eq(claims_commit(&other), 0);
	ck_assert_uint_eq(held(), 2);
	claims_release(&web);
	ck_assert_uint_eq(held(), 1);
	web = take("web", 3);
	claims_release(&web);
	claims_release(&other);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

/* Without claims_commit() nothing is anybody's. */
START_TEST(nothing_before_commit)
{
	struct claims web = start("web");

	ck_assert_int_eq(add(&web, core(1)), 0);
	ck_assert_uint_eq(held(), 0);
	claims_release(&web);
	claims_release(&web);
	web = take("db", 1);
	claims_release(&web);
}
END_TEST

START_TEST(parts_and_shares)
{
	struct claim pages = { .mode = CLAIM_PART, .what = "pages 2M node 0", .amount = 60, .limit = 100 };
	struct claim shared = { .mode = CLAIM_SHARED, .what = "core 7" };
	struct claims web = start("web"), db;

	ck_assert_int_eq(add(&web, pages), 0);
	ck_assert_int_eq(add(&web, shared), 0);
	pages.amount = 20; /* 80 now */
	ck_assert_int_eq(add(&web, pages), 0);
	ck_assert_uint_eq(web.count, 2);
	ck_assert_int_eq(claims_commit(&web), 0);
	pages.amount = 21;
	refused("db", pages,
		"nohype: error: here: pages 2M node 0: 21 wanted, and of 100 others have 80, VM \"web\" (process %d of "
		"user %u) among them\n");
	pages.amount = UINT64_MAX;
	refused("db", pages,
		"nohype: error: here: pages 2M node 0: 18446744073709551615 wanted, and of 100 others have 80, VM "
		"\"web\" (process %d of user %u) among them\n");
	refused("db", core(7),
		"nohype: error: here: core 7 is promised to VM \"web\" (process %d of user %u): end that, or ask for "
		"another\n");
	db = start("db");
	ck_assert_uint_eq(claims_sum(&db.others, "pages 2M node 0"), 80);
	pages.amount = 20;
	ck_assert_int_eq(add(&db, pages), 0);
	ck_assert_int_eq(add(&db, shared), 0);
	ck_assert_int_eq(claims_commit(&db), 0);
	claims_release(&web);
	claims_release(&db);
}
END_TEST

/* Holds core 5 until it is killed. */
static pid_t holder_start(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct claims claims = take("dies", 5);

		if (claims.file < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* kill -9 leaves its file, which is nobody's from that moment on, and is removed by whoever claims next. */
START_TEST(gone_with_its_holder)
{
	pid_t pid = holder_start();
	struct capture capture;
	struct claims web;
	char *said;

	ck_assert_uint_eq(held(), 1);
	ck_assert_uint_eq(files(), 1);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_uint_eq(held(), 0);
	ck_assert_uint_eq(files(), 1);
	ck_assert_int_eq(capture_begin(&capture), 0);
	web = take("web", 5);
	said = capture_end(&capture);
	ck_assert_ptr_nonnull(strstr(said, "VM \"dies\" (process "));
	ck_assert_ptr_nonnull(strstr(said, "not cleared by nohype"));
	free(said);
	ck_assert_uint_eq(files(), 1);
	claims_release(&web);
}
END_TEST

/* Or it is told of and removed by who asks for that, who leaves the living theirs. */
START_TEST(the_dead_are_buried_once)
{
	pid_t pid = holder_start();
	struct claims web = take("web", 1);
	struct claim_holders dead;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(claims_bury(&dead, root), 0);
	ck_assert_uint_eq(dead.count, 1);
	ck_assert_str_eq(dead.list[0].vm, "dies");
	ck_assert_int_eq(dead.list[0].pid, pid);
	claims_free(&dead);
	ck_assert_uint_eq(files(), 1);
	ck_assert_uint_eq(held(), 1);
	ck_assert_int_eq(claims_bury(&dead, root), 0);
	ck_assert_uint_eq(dead.count, 0);
	claims_free(&dead);
	claims_release(&web);
}
END_TEST

/* A reader's lock on a dead one's file doesn't make it a claim; nor does any file that isn't ours. */
START_TEST(files_that_are_no_claims)
{
	static const char *const texts[] = {
		"",
		"nohype-claims 1\tweb\t1\n", /* whole, but not locked */
		"nohype-claims 1\tweb\t1\nalone\tcore 5\t0\tvCPU 0\n",
		"nohype-claims 1\tweb\t1\nalone\tcore 5\t0\tvCPU",
		"nohype-claims 2\tweb\t1\nalone\tcore 5\t0\t\n",
		"nohype-claims 1\tw\033b\t1\nalone\tcore 5\t0\t\n",
		"nohype-claims 1\tweb\t99999999999\nalone\tcore 5\t0\t\n",
		"nohype-claims 1\tweb\t1\nalone\tcore 5\t0\n",
		"nohype-claims 1\tweb\t1\nalone\tcore 5\t0\t\t\n",
		"nohype-claims 1\tweb\t1\nalone\tcore 5\t-1\t\n",
		"nohype-claims 1\tweb\t1\nsome\tcore 5\t0\t\n",
		"nohype-claims 1\tweb\t1\nalone\t\t0\t\n",
		"nohype-claims 1\tweb\t1\n\nalone\tcore 5\t0\t\n",
	};
	struct flock write_lock = { .l_type = F_WRLCK }, read_lock = { .l_type = F_RDLCK };
	char path[128];
	struct claims web;
	int fd;

	snprintf(path, sizeof(path), "%s/run/nohype/claims/claims.12345", root);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, texts[_i], strlen(texts[_i])), (ssize_t)strlen(texts[_i]));
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, _i <= 2 ? &read_lock : &write_lock), 0);
	ck_assert_uint_eq(held(), 0);
	web = take("web", 5);
	claims_release(&web);
	ck_assert_uint_eq(files(), _i <= 2 ? 0 : 1); /* what someone holds is left */
	close(fd);
}
END_TEST

/* Of many who want the same at once, one has it. */
START_TEST(one_of_many)
{
	unsigned int had = 0;
	pid_t pids[8];
	int go[2];

	ck_assert_int_eq(pipe(go), 0);
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct claims claims;
			char byte;

			ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
			close(go[1]);
			read(go[0], &byte, 1);
			claims = start("many");
			_exit(add(&claims, core(1)) || claims_commit(&claims) ? 1 : (usleep(300000), 0));
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < 8; i++) {
		int status;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status));
		had += WEXITSTATUS(status) == 0;
	}
	ck_assert_uint_eq(had, 1);
}
END_TEST

/* As user 65534 with a session's folder: it sees root's claims, and root its. */
static void as_nobody(void (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		unsetenv("XDG_RUNTIME_DIR");
		if (setgid(65534) || setuid(65534))
			_exit(2);
		what();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static void nobody_is_refused(void)
{
	struct claims claims = start("plain");

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	if (add(&claims, core(1)) != -EBUSY)
		_exit(1);
	if (add(&claims, core(2)) || claims_commit(&claims) || held() != 2)
		_exit(3);
	claims_release(&claims);
}

static void nobody_holds(void)
{
	struct claims claims = take("plain", 2);
	char path[128];

	snprintf(path, sizeof(path), "%s/nobody", root);
	if (claims.file < 0 || mkdir(path, 0700))
		_exit(1);
	snprintf(path, sizeof(path), "%s/enough", root);
	while (access(path, F_OK))
		usleep(10000);
}

START_TEST(two_users)
{
	struct claims web;
	char path[128];
	pid_t pid;

	if (geteuid() != 0) {
		ck_assert_msg(!getenv("MUST_WORK"), "not root");
		return;
	}
	snprintf(path, sizeof(path), "%s/tmp", root);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	ck_assert_int_eq(chmod(path, 01777), 0);
	ck_assert_int_eq(chmod(root, 0777), 0);
	web = take("web", 1);
	as_nobody(nobody_is_refused);
	claims_release(&web);
	pid = fork();
	if (pid == 0) {
		as_nobody(nobody_holds);
		_exit(0);
	}
	snprintf(path, sizeof(path), "%s/nobody", root);
	while (access(path, F_OK))
		usleep(10000);
	web = start("web");
	ck_assert_ptr_nonnull(claims_find(&web.others, "core 2", NULL));
	ck_assert_uint_eq(claims_find(&web.others, "core 2", NULL)->uid, 65534);
	claims_release(&web);
	snprintf(path, sizeof(path), "%s/enough", root);
	ck_assert_int_ge(creat(path, 0600), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* Without root's folder, for whoever isn't root: where this is run as a plain user the folder is writable anyway. */
START_TEST(foreign_folder)
{
	struct claims claims = CLAIMS_NONE;
	struct capture cap;
	char path[128], *text;
	int err;

	if (geteuid() != 0)
		return;
	snprintf(path, sizeof(path), "%s/run/nohype/claims", root);
	ck_assert_int_eq(chown(path, 65534, 65534), 0);
	claims.root = root;
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = claims_begin(&claims, "web");
	text = capture_end(&cap);
	claims_release(&claims);
	ck_assert_int_eq(err, -EPERM);
	ck_assert_ptr_nonnull(strstr(text, "not a folder of user 0: wanted one, or none"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("claim");
	TCase *tcase = tcase_create("claim");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, one_has_it);
	tcase_add_test(tcase, nothing_before_commit);
	tcase_add_test(tcase, parts_and_shares);
	tcase_add_test(tcase, gone_with_its_holder);
	tcase_add_test(tcase, the_dead_are_buried_once);
	tcase_add_loop_test(tcase, files_that_are_no_claims, 0, 13);
	tcase_add_test(tcase, one_of_many);
	tcase_add_test(tcase, two_users);
	tcase_add_test(tcase, foreign_folder);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
