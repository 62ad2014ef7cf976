// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages added to the host's pools and taken out again. Records are read wherever this runs; the pools change only
 * where POOL_PAGES says how many pages of 2 MiB can be made (tests/e2e/memory-runs, on an emulated host).
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capture.h"
#include "memmap/internal.h"

static char state[32];

static void state_make(void)
{
	strcpy(state, "/tmp/nohype-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state));
}

static void state_remove(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", state);
	ck_assert_int_eq(system(command), 0);
}

static void record_put(const char *name, const char *text)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", state, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static bool record_is(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", state, name);
	return !access(path, F_OK);
}

static int64_t pages_now(int node)
{
	return hugepage_number(node, MIB(2), "nr_hugepages");
}

static unsigned int pages_can(void)
{
	const char *text = getenv("POOL_PAGES");

	return text ? (unsigned int)atoi(text) : 0;
}

static struct memory_request request(uint64_t pages)
{
	struct memory_request req = { .page_size = MIB(2), .reserve = true };

	req.layout.size = pages * MIB(2);
	req.layout.count = 1;
	req.layout.ranges[0] = (struct memory_range){ .size = req.layout.size, .kind = MEMORY_RAM };
	return req;
}

/* pool_add must refuse, and leave nothing; its message, the caller's. */
static char *refuse(const struct memory_request *req)
{
	int64_t before = pages_now(-1);
	struct capture cap;
	struct pool pool;
	uint64_t pages;
	char *text;
	int err;

	capture_begin(&cap);
	err = pool_add(&pool, req, state);
	text = capture_end(&cap);
	ck_assert_int_eq(err, -ENOMEM);
	ck_assert_int_eq(pool.fd, -1);
	ck_assert_int_eq(pages_now(-1), before);
	ck_assert_int_eq(pool_recover(state, &pages), 0);
	ck_assert_uint_eq(pages, 0);
	return text;
}

/* None of these is followed: no pool changes, and they don't stay in the way. */
static const struct {
	const char *text;
	bool complained;
} bad_records[] = {
	{ "", false },
	{ "nohype pages 1\nboot 00000000-0000-0000-0000-000000000000\npage 2097152\nnode 0 has 0 wanted 5\n", false },
	{ "nohype pages 2\nboot x\npage 2097152\n", true },
	{ "pages\n", true },
	{ "nohype pages 1\nboot x\n", true },
};

START_TEST(bad_record)
{
	int64_t before = pages_now(-1);
	struct capture cap;
	uint64_t pages;
	char *text;
	int err;

	state_make();
	record_put("pages.1.2048", bad_records[_i].text);
	capture_begin(&cap);
	err = pool_recover(state, &pages);
	text = capture_end(&cap);
	ck_assert_int_eq(err, bad_records[_i].complained ? -EBADMSG : 0);
	ck_assert_int_eq(*text != '\0', bad_records[_i].complained);
	ck_assert_uint_eq(pages, 0);
	ck_assert(!record_is("pages.1.2048"));
	ck_assert_int_eq(pages_now(-1), before);
	free(text);
	state_remove();
}
END_TEST

START_TEST(other_files_stay)
{
	uint64_t pages;

	state_make();
	record_put("host.journal", "x");
	record_put("pages.1x", "x");
	record_put("pages..", "x");
	record_put("pages.", "x");
	ck_assert_int_eq(pool_recover(state, &pages), 0);
	ck_assert(record_is("host.journal") && record_is("pages.1x") && record_is("pages..") && record_is("pages."));
	state_remove();
	ck_assert_int_eq(pool_recover("/nowhere/at/all", &pages), 0);
}
END_TEST

START_TEST(added_and_given_back)
{
	int64_t before = pages_now(-1);
	struct memory_request req = request(pages_can());
	struct pool pool;

	if (!pages_can())
		return;
	state_make();
	ck_assert_int_eq(pool_add(&pool, &req, state), 0);
	ck_assert_int_eq(pages_now(-1), before + pages_can());
	pool_give_back(&pool, state);
	req.rings = MIB(2); /* anywhere */
	ck_assert_int_eq(pool_add(&pool, &req, state), 0);
	ck_assert_int_eq(pages_now(-1), before + pages_can() + 1);
	pool_give_back(&pool, state);
	ck_assert_int_eq(pages_now(-1), before);
	ck_assert_int_eq(pool.fd, -1);
	pool_give_back(&pool, state); /* again: nothing */
	ck_assert_int_eq(pages_now(-1), before);
	state_remove();
}
END_TEST

START_TEST(added_to_nodes)
{
	int64_t before[2] = { pages_now(0), pages_now(1) };
	struct memory_request req = request(6);
	struct pool pool;

	if (!pages_can() || before[1] < 0)
		return;
	state_make();
	req.nodes = (struct memory_nodes){ 2, { { 1, 0, 4 * MIB(2) }, { 0, 4 * MIB(2), 2 * MIB(2) } } };
	ck_assert_int_eq(pool_add(&pool, &req, state), 0);
	ck_assert_int_eq(pages_now(0), before[0] + 2);
	ck_assert_int_eq(pages_now(1), before[1] + 4);
	pool_give_back(&pool, state);
	ck_assert_int_eq(pages_now(0), before[0]);
	ck_assert_int_eq(pages_now(1), before[1]);
	/* a disk is on one of them, and rings are on the first */
	req.nodes.disks[req.nodes.ndisks++] = (struct memory_part){ 0, 6 * MIB(2), 3 * MIB(2) };
	req.layout.size += 3 * MIB(2);
	req.rings = MIB(2);
	ck_assert_int_eq(pool_add(&pool, &req, state), 0);
	ck_assert_int_eq(pages_now(0), before[0] + 5);
	ck_assert_int_eq(pages_now(1), before[1] + 5);
	pool_give_back(&pool, state);
	ck_assert_int_eq(pages_now(0), before[0]);
	ck_assert_int_eq(pages_now(1), before[1]);
	state_remove();
}
END_TEST

/* More than there is: an error that says how many it could be, and not one page is kept. */
START_TEST(more_than_there_is)
{
	struct memory_request req = request(GIB(1024) / MIB(2));
	char *text;

	if (!pages_can() || pages_now(1) < 0)
		return;
	state_make();
	text = refuse(&req);
	ck_assert_ptr_nonnull(strstr(text, "memory.size: \"1T\": more than this host has free ("));
	free(text);
	/* so much is free of a node of 2 GiB, but the kernel has put its own into both halves */
	req.layout.size = GIB(1);
	req.layout.ranges[0].size = GIB(1);
	req.page_size = GIB(1);
	req.nodes = (struct memory_nodes){ 1, { { 0, 0, GIB(1) } } };
	text = refuse(&req);
	ck_assert_ptr_nonnull(
		strstr(text, "memory.reserve: wants 1 huge pages of 1G more: node 0 could make 0 of its"));
	free(text);
	state_remove();
}
END_TEST

/* A holder that is killed: its pages stay until someone comes by, and one that lives is left alone. */
START_TEST(killed)
{
	int64_t before = pages_now(-1);
	struct memory_request req = request(4);
	struct pool mine, theirs;
	uint64_t pages;
	int fds[2];
	pid_t pid;
	char byte;

	if (!pages_can())
		return;
	state_make();
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (!pool_add(&theirs, &req, state) && write(fds[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	ck_assert_int_eq(pool_recover(state, &pages), 0);
	ck_assert_uint_eq(pages, 0);
	ck_assert_int_eq(pages_now(-1), before + 4);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(pages_now(-1), before + 4);
	ck_assert_int_eq(pool_add(&mine, &req, state), 0); /* takes the dead one's out first */
	ck_assert_int_eq(pages_now(-1), before + 4);
	pool_give_back(&mine, state);
	ck_assert_int_eq(pages_now(-1), before);
	state_remove();
}
END_TEST

/* Killed between the two lines of a node: what came of it is what the pool has more. */
START_TEST(killed_half_way)
{
	char text[256], boot[64] = "";
	int64_t before = pages_now(0);
	struct memory_request req = request(3);
	struct pool pool;
	uint64_t pages;
	FILE *file;

	if (!pages_can())
		return;
	state_make();
	req.nodes = (struct memory_nodes){ 1, { { 0, 0, 3 * MIB(2) } } };
	ck_assert_int_eq(pool_add(&pool, &req, state), 0);
	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	ck_assert_ptr_nonnull(fgets(boot, sizeof(boot), file));
	fclose(file);
	snprintf(text, sizeof(text), "nohype pages 1\nboot %spage 2097152\nnode 0 has %d wanted 5\nnode 0 go", boot,
		 (int)before);
	close(pool.fd);
	unlink(pool.path);
	record_put("pages.1", text);
	ck_assert_int_eq(pool_recover(state, &pages), 0);
	ck_assert_uint_eq(pages, 3);
	ck_assert_int_eq(pages_now(0), before);
	state_remove();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = tcase_create("pool");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, bad_record, 0, ARRAY_SIZE(bad_records));
	tcase_add_test(tc, other_files_stay);
	tcase_add_test(tc, added_and_given_back);
	tcase_add_test(tc, added_to_nodes);
	tcase_add_test(tc, more_than_there_is);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, killed_half_way);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
