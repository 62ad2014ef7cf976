// SPDX-License-Identifier: GPL-2.0-only
/* nohyped: what a request is for, and files of records. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/record.h"
#include "base/util.h"
#include "vmm/system/route.h"

static const struct {
	const char *method, *path;
	unsigned int status;
	enum route_id id;
	const char *name, *allow;
} requests[] = {
	{ "GET", "/v1/version", 0, ROUTE_VERSION, "", "" },
	{ "GET", "/metrics", 0, ROUTE_METRICS, "", "" },
	{ "GET", "/v1/events", 0, ROUTE_EVENTS, "", "" },
	{ "GET", "/v1/host/topology", 0, ROUTE_TOPOLOGY, "", "" },
	{ "GET", "/v1/host/doctor", 0, ROUTE_DOCTOR, "", "" },
	{ "GET", "/v1/vms", 0, ROUTE_LIST, "", "" },
	{ "GET", "/v1/vms/web", 0, ROUTE_SHOW, "web", "" },
	{ "PUT", "/v1/vms/web", 0, ROUTE_PUT, "web", "" },
	{ "DELETE", "/v1/vms/a.b_c-1", 0, ROUTE_DELETE, "a.b_c-1", "" },
	{ "POST", "/v1/vms/web/start", 0, ROUTE_START, "web", "" },
	{ "POST", "/v1/vms/web/seal", 0, ROUTE_SEAL, "web", "" },
	{ "GET", "/v1/vms/web/report", 0, ROUTE_REPORT, "web", "" },
	/* a VM may be called as a path's end is */
	{ "POST", "/v1/vms/start/stop", 0, ROUTE_STOP, "start", "" },
	{ "POST", "/v1/version", 405, 0, "", "GET" },
	{ "PATCH", "/v1/vms/web", 405, 0, "web", "GET, PUT, DELETE" },
	{ "GET", "/v1/vms/web/start", 405, 0, "web", "POST" },
	{ "POST", "/v1/host/doctor", 405, 0, "", "GET" },
	{ "get", "/v1/vms", 405, 0, "", "GET" },
	{ "", "/v1/vms", 405, 0, "", "GET" },
	{ "GET", "", 404, 0, "", "" },
	{ "GET", "/", 404, 0, "", "" },
	{ "GET", "/v1/host", 404, 0, "", "" },
	{ "GET", "/v1/host/doctor/", 404, 0, "", "" },
	{ "GET", "/v1/vms/", 404, 0, "", "" },
	{ "GET", "/v1/vms//start", 404, 0, "", "" },
	{ "GET", "/v1/vms/..", 404, 0, "", "" },
	{ "GET", "/v1/vms/web/", 404, 0, "", "" },
	{ "GET", "/v1/vms/web/start/", 404, 0, "", "" },
	{ "GET", "/v1/vms/a%2Fb", 404, 0, "", "" },
	{ "GET", "/v1/vms/a b", 404, 0, "", "" },
};

START_TEST(route)
{
	struct route found;

	ck_assert_uint_eq(route_find(&found, requests[_i].method, requests[_i].path), requests[_i].status);
	ck_assert_str_eq(found.allow, requests[_i].allow);
	if (requests[_i].status != 404)
		ck_assert_str_eq(found.name, requests[_i].name);
	if (!requests[_i].status)
		ck_assert_int_eq(found.id, requests[_i].id);
}
END_TEST

START_TEST(route_name_length)
{
	char path[256] = "/v1/vms/";
	struct route found;

	memset(path + strlen(path), 'a', VM_NAME_MAX);
	ck_assert_uint_eq(route_find(&found, "GET", path), 0);
	ck_assert_uint_eq(strlen(found.name), VM_NAME_MAX);
	strcat(path, "a");
	ck_assert_uint_eq(route_find(&found, "GET", path), 404);
}
END_TEST

/* Three records as they are in a file; its length. */
static size_t records_make(char text[256])
{
	int fd = memfd_create("records", 0);
	ssize_t len;

	ck_assert_int_eq(record_append(fd, "{\"first\":1}"), 0);
	ck_assert_int_eq(record_append(fd, ""), 0);
	ck_assert_int_eq(record_append(fd, "third"), 0);
	len = pread(fd, text, 256, 0);
	close(fd);
	ck_assert_int_gt(len, 0);
	return (size_t)len;
}

START_TEST(records_whole)
{
	char text[256], *at = text, *end = text + records_make(text);
	unsigned int bad = 0;

	ck_assert_str_eq(record_next(&at, end, &bad), "{\"first\":1}");
	ck_assert_str_eq(record_next(&at, end, &bad), "");
	ck_assert_str_eq(record_next(&at, end, &bad), "third");
	ck_assert_ptr_null(record_next(&at, end, &bad));
	ck_assert_ptr_eq(at, end);
	ck_assert_uint_eq(bad, 0);
}
END_TEST

/* Cut anywhere: the whole lines before are there, and @at is where the cut one begins. */
START_TEST(records_cut)
{
	char whole[256], text[256];
	size_t len = records_make(whole);

	for (size_t cut = 0; cut < len; cut++) {
		char *at = text;
		unsigned int bad = 0, lines = 0, count = 0;

		memcpy(text, whole, len);
		for (size_t i = 0; i < cut; i++)
			lines += whole[i] == '\n';
		while (record_next(&at, text + cut, &bad))
			count++;
		ck_assert_uint_eq(count, lines);
		ck_assert_uint_eq(bad, 0);
		ck_assert(at == text || at[-1] == '\0');
	}
}
END_TEST

/* Any byte altered, the newlines too: no record is told that wasn't written. */
START_TEST(records_altered)
{
	char whole[256], text[256];
	size_t len = records_make(whole);

	for (size_t i = 0; i < len; i++) {
		char *at = text, *record;
		unsigned int bad = 0;

		memcpy(text, whole, len);
		text[i] ^= 1;
		while ((record = record_next(&at, text + len, &bad)))
			ck_assert(strcmp(record, "{\"first\":1}") == 0 || strcmp(record, "") == 0 ||
				  strcmp(record, "third") == 0);
		ck_assert(bad > 0 || at < text + len);
	}
}
END_TEST

/* A disk that is full: what got onto it of a record goes again, and the next one is whole. */
START_TEST(records_after_a_full_disk)
{
	char text[256], *at = text;
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
	struct rlimit all, few = { 40, RLIM_INFINITY };
	unsigned int bad = 0;
	ssize_t len;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(record_append(fd, "first"), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &all), 0);
	few.rlim_max = all.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
	ck_assert_int_lt(record_append(fd, "the second, which has no room"), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	ck_assert_int_eq(record_append(fd, "third"), 0);
	len = pread(fd, text, sizeof(text), 0);
	close(fd);
	ck_assert_int_gt(len, 0);
	ck_assert_str_eq(record_next(&at, text + len, &bad), "first");
	ck_assert_str_eq(record_next(&at, text + len, &bad), "third");
	ck_assert_uint_eq(bad, 0);
}
END_TEST

struct taken {
	unsigned int count, max; /* how many it takes before it refuses one */
	char last[32];
};

static bool record_count(void *context, const char *text)
{
	struct taken *taken = context;

	if (taken->count == taken->max)
		return false;
	taken->count++;
	snprintf(taken->last, sizeof(taken->last), "%s", text);
	return true;
}

static int file_of_records(unsigned int count)
{
	int fd = memfd_create("records", 0);
	char text[5000];

	ck_assert_int_ge(fd, 0);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (unsigned int i = 0; i < count; i++) {
		text[snprintf(text, sizeof(text), "%u", i)] = ' ';
		ck_assert_int_eq(record_append(fd, text), 0);
	}
	return fd;
}

static void fd_write(int fd, const char *text, size_t len)
{
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
}

/* More than is read at once. What is refused comes again; what is no whole line yet stays. */
START_TEST(file_read)
{
	struct taken taken = { .max = 100 };
	int fd = file_of_records(200);
	unsigned int bad = 0;
	off_t at = 0, end = lseek(fd, 0, SEEK_CUR);

	ck_assert_int_eq(records_read(fd, &at, &bad, record_count, &taken), 1);
	ck_assert_int_eq(at, end / 2);
	ck_assert(strncmp(taken.last, "99 ", 3) == 0);
	taken.max = 1000;
	fd_write(fd, "0123", 4);
	ck_assert_int_eq(records_read(fd, &at, &bad, record_count, &taken), 1);
	ck_assert_int_eq(at, end);
	ck_assert_uint_eq(taken.count, 200);
	ck_assert_int_eq(ftruncate(fd, end), 0);
	ck_assert_int_eq(records_read(fd, &at, &bad, record_count, &taken), 0);
	ck_assert_uint_eq(taken.count, 200);
	ck_assert_uint_eq(bad, 0);
	close(fd);
}
END_TEST

/* Nothing that stands there keeps what follows from being read. */
START_TEST(file_altered)
{
	struct taken taken = { .max = 1000 };
	int fd = file_of_records(3);
	char *junk = calloc(1, 5 * RECORD_MAX);
	unsigned int bad = 0;
	off_t at = 0;

	fd_write(fd, junk, 5 * RECORD_MAX);
	fd_write(fd, "\n", 1);
	ck_assert_int_eq(record_append(fd, "after it"), 0);
	ck_assert_int_eq(records_read(fd, &at, &bad, record_count, &taken), 0);
	ck_assert_uint_eq(taken.count, 4);
	ck_assert_str_eq(taken.last, "after it");
	ck_assert_uint_ge(bad, 1);
	ck_assert_int_eq(at, lseek(fd, 0, SEEK_END));
	free(junk);
	close(fd);
	bad = 0;
	ck_assert_int_eq(records_read(fd, &at, &bad, record_count, &taken), -EBADF);
}
END_TEST

START_TEST(records_refused)
{
	char *text = malloc(RECORD_MAX + 1);
	int fd = memfd_create("records", 0);

	ck_assert_int_eq(record_append(fd, "two\nlines"), -EINVAL);
	memset(text, 'x', RECORD_MAX);
	text[RECORD_MAX] = '\0';
	ck_assert_int_eq(record_append(fd, text), -EINVAL);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
	ck_assert_int_eq(record_append(-1, "x"), -EBADF);
	close(fd);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("system");
	TCase *tests = tcase_create("system");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, route, 0, ARRAY_SIZE(requests));
	tcase_add_test(tests, route_name_length);
	tcase_add_test(tests, records_whole);
	tcase_add_test(tests, records_cut);
	tcase_add_test(tests, records_altered);
	tcase_add_test(tests, records_refused);
	tcase_add_test(tests, records_after_a_full_disk);
	tcase_add_test(tests, file_read);
	tcase_add_test(tests, file_altered);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
