// SPDX-License-Identifier: GPL-2.0-only
/* What `nohype exits` and `nohype top` show, of answers made up here. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vmm/cli/view.h"

/* With @vcpus vCPUs, @guest exits by the guest of each since the seal, at @ns. */
static json_t *answer_make(unsigned int vcpus, json_int_t guest, json_int_t ns)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < vcpus; i++)
		json_array_append_new(list,
				      json_pack("{s:i, s:i, s:I, s:i, s:i, s:i, s:{s:i}}", "vcpu", (int)i, "core",
						(int)i + 1, "exits", 1000 + 50 + guest, "host", 250, "before_seal",
						1000, "host_before_seal", 200, "exceptions", "eoi", 7));
	return json_pack("{s:b, s:s, s:s, s:s, s:o, s:I, s:i, s:I, s:[{s:s, s:s, s:s}]}", "ok", 1, "name", "web\033[2J",
			 "state", "sealed", "level", "strict", "vcpus", list, "now_ns", ns, "asked_ns", 0, "sealed_ns",
			 (json_int_t)3000000000, "guarantees", "name", "cores", "state", "not held", "evidence",
			 "a long evidence that will be cut where the terminal is narrow, and not before \x01 that");
}

static char *draw(const struct view *view)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	view_draw(view, out);
	fclose(out);
	return text;
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

START_TEST(once)
{
	json_t *answer = answer_make(1, 3, 9000000000);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	exits_print(answer, out);
	fclose(out);
	ck_assert_str_eq(text, "web\\x1b[2J: sealed (strict)\n"
			       " vCPU  core before the seal since, by the host    by the guest\n"
			       "    0     1            1000                 50               3\n");
	free(text);
	json_decref(answer);
}
END_TEST

START_TEST(whole)
{
	json_t *before = answer_make(2, 3, 9000000000), *now = answer_make(2, 13, 14000000000);
	struct view view = { .now = now, .before = before, .columns = 132, .rows = 40 };
	char *text = draw(&view);

	ck_assert(has(text, "web\\x1b[2J  sealed (strict) for 11 s"));
	ck_assert(has(text, "\n   0    1        1000        0          50        0          13        2\n"));
	ck_assert(has(text, "\n all             2000        0         100        0          26        4\n"));
	ck_assert(has(text, "Exceptions, of the guest's:  eoi 14\n"));
	ck_assert(has(text,
		      "\n  cores           not held  a long evidence that will be cut where the terminal is narrow, "
		      "and not before \\x01 that"));
	free(text);
	view.before = NULL; /* no rates yet */
	text = draw(&view);
	ck_assert(has(text, "\n   0    1        1000        -          50        -          13        -\n"));
	ck_assert(!has(text, "\033"));
	free(text);
	view.colour = true;
	text = draw(&view);
	ck_assert(has(text, "\033[1;31mnot held\033[0m"));
	free(text);
	json_decref(before);
	json_decref(now);
}
END_TEST

/* What is known of a share, and why something isn't: never a 0 for it. */
START_TEST(share_of_caches)
{
	static const char text[] =
		"{\"name\": \"web\", \"cache\": {\"simulated\": true, \"l3\": [{\"cache\": 2, \"occupancy_bytes\": "
		"131072, "
		"\"total_bytes\": 98304000, \"local_bytes\": null, \"unread\": null}, {\"cache\": 3, "
		"\"occupancy_bytes\": null, "
		"\"total_bytes\": null, \"local_bytes\": null, \"unread\": \"for\\u0007 a reason\"}, 4]}}";
	json_t *now = json_loads(text, 0, NULL);
	struct view view = { .now = now, .columns = 100, .rows = 30 };
	char line[256], *drawn = draw(&view);

	ck_assert(cache_line(now, 0, line, sizeof(line)));
	ck_assert_str_eq(line, "simulated: L3 cache 2, 128 KiB filled, 96000 KiB moved to and from memory");
	ck_assert(cache_line(now, 1, line, sizeof(line)));
	ck_assert_str_eq(line, "simulated: L3 cache 3: not read: for\\x07 a reason");
	ck_assert(!cache_line(now, 2, line, sizeof(line)));
	ck_assert(has(drawn, "\nsimulated: L3 cache 2, 128 KiB filled"));
	free(drawn);
	json_decref(now);
}
END_TEST

/* No line is too long, and there are no more than there is room for, on any terminal. */
START_TEST(fits)
{
	json_t *now = answer_make(20, 3, 9000000000);

	for (int columns = 1; columns < 140; columns += 7) {
		for (int rows = 1; rows < 50; rows += 3) {
			struct view view = { .now = now, .columns = columns, .rows = rows };
			char *text = draw(&view), *rest = text, *line;
			int lines = 0;

			while ((line = strsep(&rest, "\n"))) {
				ck_assert_int_le((int)strlen(line), columns);
				lines++;
			}
			ck_assert_int_le(lines, rows);
			free(text);
		}
	}
	json_decref(now);
}
END_TEST

/* Whatever the other side says, nothing is read that isn't there. */
START_TEST(odd_answers)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"vcpus\": 1, \"guarantees\": {}}",
		"{\"vcpus\": [1, null, {\"exceptions\": 3}], \"guarantees\": [null, 3, {\"name\": 4}]}",
		"{\"cache\": [1, {\"l3\": 3}]}",
		"{\"cache\": {\"l3\": [{\"cache\": \"x\", \"unread\": 3, \"total_bytes\": -1}]}}",
		"{\"name\": 3, \"sealed_ns\": \"x\", \"now_ns\": -9000000000000}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *now = json_loads(texts[i], 0, NULL);
		struct view view = { .now = now, .before = now, .columns = 80, .rows = 24 };

		ck_assert_ptr_nonnull(now);
		free(draw(&view));
		json_decref(now);
	}
}
END_TEST

static char *top(const char *now, const char *before, int columns, int rows)
{
	struct top_view view = { .now = json_loads(now, 0, NULL),
				 .before = before ? json_loads(before, 0, NULL) : NULL,
				 .columns = columns,
				 .rows = rows };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(view.now);
	top_draw(&view, out);
	fclose(out);
	json_decref((json_t *)view.now);
	json_decref((json_t *)view.before);
	return text;
}

#define TOP_VM(run, ns, host, bytes)                                                                                \
	"{\"name\": \"web\", \"state\": \"sealed\", \"run\": " run ", \"live\": {\"now_ns\": " ns                   \
	", \"memory_traffic_bytes\": " bytes                                                                        \
	", \"heartbeat\": \"beats\", \"reasons\": {\"HLT\": 1, \"interrupt\": 50, \"NMI\": 2, \"a\": 1, \"b\": 3, " \
	"\"c\": 4}, \"vcpus\": [{\"core\": 2, \"exits\": 1063, \"host\": " host ", \"before_seal\": 1000, "         \
	"\"host_before_seal\": 200}, {\"core\": 3}, {\"core\": 7}]}}"

START_TEST(top_rows)
{
	static const char idle[] = "{\"name\": \"idle\", \"state\": \"gone\", \"run\": 3, \"live\": null}";
	char now[2048], *text;

	snprintf(now, sizeof(now), "[%s, %s]", idle, TOP_VM("9", "6000000000", "250", "90000000"));
	text = top(now, NULL, 200, 24);
	ck_assert(has(text,
		      "\nidle             gone      -                  -           -       -       -            - "
		      "-         -\n"));
	ck_assert(has(text,
		      "\nweb              sealed    2-3,7           1000          50       -      13            - "
		      "beats     interrupt 50, c 4, b 3, NMI 2, others 2\n"));
	free(text);
	text = top(now, "[" TOP_VM("9", "4000000000", "230", "10000000") "]", 200, 24);
	ck_assert(has(text, "1000          50      10      13    40.0 MB/s beats"));
	free(text);
	/* of another life, and of a group that was made anew, no rate is known */
	text = top(now, "[" TOP_VM("8", "4000000000", "230", "10000000") "]", 200, 24);
	ck_assert(has(text, "1000          50       -      13            - beats"));
	free(text);
	text = top(now, "[" TOP_VM("9", "4000000000", "260", "99000000") "]", 200, 24);
	ck_assert(has(text, "1000          50       -      13            - beats"));
	free(text);
}
END_TEST

START_TEST(top_odd)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"[1, null, [], {}]",
		"[{\"name\": 3, \"live\": 4}, {\"name\": \"a\\u001b[2J\", \"live\": {\"vcpus\": 3, \"reasons\": []}}]",
		"[{\"live\": {\"vcpus\": [null, 3, {\"core\": \"x\"}], \"reasons\": {\"\": \"\", \"\\u001b\": 9}, "
		"\"now_ns\": -1}}]",
		"[{\"live\": {\"vcpus\": [{\"core\": 100}, {\"core\": 200}, {\"core\": 300}, {\"core\": "
		"9223372036854775807}]}}]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (int columns = 1; columns < 180; columns += 20) {
			for (int rows = 1; rows < 6; rows++) {
				char *text = top(texts[i], texts[i], columns, rows), *rest = text, *line;
				int lines = 0;

				while ((line = strsep(&rest, "\n"))) {
					ck_assert_int_le((int)strlen(line), columns);
					ck_assert_ptr_null(strchr(line, '\033'));
					lines += *line != '\0';
				}
				ck_assert_int_le(lines, rows);
				free(text);
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("view");
	TCase *tc = tcase_create("view");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, once);
	tcase_add_test(tc, share_of_caches);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, fits);
	tcase_add_test(tc, odd_answers);
	tcase_add_test(tc, top_rows);
	tcase_add_test(tc, top_odd);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
