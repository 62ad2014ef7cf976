// SPDX-License-Identifier: GPL-2.0-only
/* Reports as they are read, and the page that is made of them. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>
#include <string.h>

#include "base/capture.h"
#include "base/util.h"
#include "vmm/report/report.h"

#define GOOD "tests/fuzz/corpus/report/violation.json"

static json_t *good(void)
{
	json_t *report = told_read(GOOD);

	ck_assert_ptr_nonnull(report);
	return report;
}

static char *page(const json_t *report)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	page_write(report, out);
	fclose(out);
	return text;
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "not there: %s", part);
}

START_TEST(page_has_what_the_report_has)
{
	json_t *report = good();
	char *text = page(report);

	has(text, "<h1>told</h1>");
	has(text, "<span class=\"tag bad\">violation</span> exit code 5: ");
	has(text, "<code>0x100417</code>");
	has(text, "port I/O (AMD SVM exit 0x7b)");
	has(text, "<dt>Port</dt><dd><code>0x80</code>");
	has(text, "<dt>Started</dt><dd>2026-11-24 00:55:12 UTC</dd>");
	has(text, "64 MiB in pages of 2 MiB");
	has(text, "<th scope=\"row\">mapped pages</th><td><span class=\"tag good\">held</span></td>");
	has(text, "<dt>Disk</dt><dd>root.img, raw, 32 MiB, save: saved, 64 KiB written, the rest as it was</dd>");
	has(text, "<dt>Function</dt><dd>0000:01:10.0: vfio-pci, group 12 alone</dd>");
	has(text, ">sealed</text>");
	has(text, ">violation</text>");
	has(text, "</html>\n");
	/* complete in itself, and nothing in it runs */
	ck_assert_ptr_null(strstr(text, "<script"));
	ck_assert_ptr_null(strstr(text, "src="));
	ck_assert_ptr_null(strstr(text, "href="));
	ck_assert_ptr_null(strstr(text, "url("));
	free(text);
	json_decref(report);
}
END_TEST

/* Put @value at each text of @json, and count them. */
static unsigned int texts_set(json_t *json, const char *value)
{
	unsigned int count = 0;
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_string(json))
		return json_string_set(json, value) == 0;
	json_object_foreach (json, key, member)
		count += texts_set(member, value);
	json_array_foreach (json, i, member)
		count += texts_set(member, value);
	return count;
}

START_TEST(text_is_escaped)
{
	json_t *report = good();
	char *text;

	/* wherever it stands, also where a checked report could not have it */
	ck_assert_uint_gt(texts_set(report, "<b onclick=\"x\">'&\x01"), 30);
	json_object_del(report, "violation"); /* its numbers are checked to be such */
	json_object_set_new(report, "violation", json_null());
	json_object_set_new(json_object_get(json_array_get(json_object_get(report, "ledger"), 0), "since_seal"),
			    "reasons", json_pack("{s:{s:i, s:s}}", "<i>", "exits", 1, "first_rip", "0x1"));
	text = page(report);
	ck_assert_ptr_null(strstr(text, "<b "));
	ck_assert_ptr_null(strstr(text, "<i>"));
	ck_assert_ptr_null(strchr(text, '\x01'));
	has(text, "<h1>&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;\xef\xbf\xbd</h1>");
	has(text, "<td>&lt;i&gt;</td>");
	free(text);
	json_decref(report);
}
END_TEST

static const struct {
	const char *path, *value, *message; /* path: keys and indexes; value: JSON, or NULL to take it away */
} bad[] = {
	{ "report", "2", "report: wanted version 1, found 2" },
	{ "report", "\"1\"", "report: wanted a whole number from 0 on" },
	{ "name", NULL, "name: wanted this key, and it is missing" },
	{ "violation.rip", "3", "violation.rip: wanted text as \"0x1f\"" },
	{ "violation.rip", "\"0x\"", "violation.rip: wanted text as \"0x1f\"" },
	{ "violation.rip", "\"0x1g\"", "violation.rip: wanted text as \"0x1f\"" },
	{ "violation.rip", "\"<b>\"", "violation.rip: wanted text as \"0x1f\"" },
	{ "violation.access", "\"x\"", "violation.access: wanted one of in|out|read|write" },
	{ "violation.access", "\"in|out\"", "violation.access: wanted one of in|out|read|write" },
	{ "violation.more", "1", "violation.more: wanted no such key" },
	{ "violation.\x1b[2J", "1", "violation.\"\\x1b[2J\": wanted no such key" },
	{ "outcome.exit_code", "256", "outcome.exit_code: wanted at most 255" },
	{ "outcome.exit_code", "-1", "outcome.exit_code: wanted a whole number from 0 on" },
	{ "outcome.exit_code", "5.0", "outcome.exit_code: wanted a whole number from 0 on" },
	{ "config.vcpus", "2", "config.cores: wanted one for each vCPU" },
	{ "config.exceptions", "{\"eoi\": false}", "config.exceptions.eoi: wanted true, or text as \"10/s\"" },
	{ "guarantees.1.state", "\"kept\"", "guarantees[1].state: wanted one of held|not held|not to be had here" },
	{ "ledger.0.since_seal.counters.exits", "-1",
	  "ledger[0].since_seal.counters.exits: wanted a whole number from 0 on" },
	{ "ledger.0.before_seal.exits", "9007199254740992",
	  "ledger[0].before_seal.exits: wanted at most 9007199254740991" },
	{ "ledger.0", "[]", "ledger[0]: wanted an object" },
	{ "timeline.samples", "{}", "timeline.samples: wanted an array" },
	{ "steps", "{}", "steps: wanted an array" },
	{ "steps.1.sequence", "\"pause\"", "steps[1].sequence: wanted one of start|stop|abort|undo" },
	{ "steps.0.ns", "-1", "steps[0].ns: wanted a whole number from 0 on" },
	{ "timeline.samples.1.ns", "0", "timeline.samples[1]: wanted a time that isn't before the last one's" },
	{ "timeline.samples.1.exits", "[1, 2]", "timeline.samples[1]: wanted as many numbers as vCPUs" },
	{ "functions", "[{}, {}, {}, {}, {}]", "functions: wanted fewer elements" },
	{ "functions.0.settings.vlan", "4095", "functions[0].settings.vlan: wanted at most 4094" },
	{ "functions.1.settings", "{}", "functions[1].settings.mac: wanted this key, and it is missing" },
	{ "disks.0.save", "\"gone\"", "disks[0].save: wanted one of not asked|no clean end|saved|lost" },
	{ "disks.1.format", "\"vpc\"", "disks[1].format: wanted one of raw|gzip|xz|zstd|qcow2|vdi|vhdx|vhd" },
	{ "disks.0.saved.changes_only", "null", "disks[0].saved.changes_only: wanted true or false" },
	{ "memory_cleared.verified", "1", "memory_cleared.verified: wanted true or false" },
	{ "memory_cleared.seconds", "-0.5", "memory_cleared.seconds: wanted a number from 0 on" },
};

static void set_at(json_t *json, char *path, const char *value)
{
	char *key = strsep(&path, ".");
	json_t *made = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;

	if (path && json_is_array(json))
		set_at(json_array_get(json, strtoul(key, NULL, 10)), path, value);
	else if (path)
		set_at(json_object_get(json, key), path, value);
	else if (!made)
		json_object_del(json, key);
	else if (json_is_array(json))
		json_array_set(json, strtoul(key, NULL, 10), made);
	else
		json_object_set(json, key, made);
	json_decref(made);
}

START_TEST(bad_reports)
{
	char path[128], wanted[256], *said, *text;
	json_t *report = good(), *parsed;
	struct capture cap;

	snprintf(path, sizeof(path), "%s", bad[_i].path);
	set_at(report, path, bad[_i].value);
	text = json_dumps(report, 0);
	ck_assert_int_eq(capture_begin(&cap), 0);
	parsed = told_parse(text, strlen(text), "r.json");
	said = capture_end(&cap);
	snprintf(wanted, sizeof(wanted), "nohype: error: r.json: %s\n", bad[_i].message);
	ck_assert_str_eq(said, wanted);
	ck_assert_ptr_null(parsed);
	free(said);
	free(text);
	json_decref(report);
}
END_TEST

START_TEST(no_reports)
{
	static const char *const texts[] = { "", "{", "[]", "{}", "null", "{\"report\": 1, \"report\": 1}", "\xff" };
	struct capture cap;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *said;

		ck_assert_int_eq(capture_begin(&cap), 0);
		ck_assert_ptr_null(told_parse(texts[i], strlen(texts[i]), "r.json"));
		said = capture_end(&cap);
		ck_assert_int_eq(strncmp(said, "nohype: error: r.json:", strlen("nohype: error: r.json:")), 0);
		ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1); /* one line */
		free(said);
	}
}
END_TEST

static bool chart_has(const char *page, const char *part)
{
	const char *chart = strstr(page, "<svg"), *end = strstr(page, "</svg>");

	ck_assert(chart && end && chart < end);
	return memmem(chart, (size_t)(end - chart), part, strlen(part)) != NULL;
}

/* What there may be little of. */
START_TEST(poor_reports)
{
	static const struct {
		const char *path, *value;
	} changes[] = {
		{ "timeline.samples", "[]" },
		{ "ledger", "[]" },
		{ "guarantees", "[]" },
		{ "states", "[]" },
		{ "violation", "null" },
		{ "memory_cleared", "null" },
		{ "times.sealed_ns", "null" },
		{ "times.ended_ns", "null" },
		{ "times.ended_ns", "0" },
		{ "times.start", "\"\"" },
		{ "timeline.interval_ns", "0" },
		{ "timeline.interval_ns", "9007199254740991" },
		{ "ledger.0.since_seal", "null" },
		{ "violation.ns", "9007199254740991" },
		{ "times.sealed_ns", "9007199254740991" },
		{ "config.level", "\"audit\"" },
		{ "timeline.samples.0.exits.0", "9007199254740991" },
	};
	json_t *all = good();

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		json_t *report = good();
		char path[64], *text;

		snprintf(path, sizeof(path), "%s", changes[i].path);
		set_at(report, path, changes[i].value);
		snprintf(path, sizeof(path), "%s", changes[i].path);
		set_at(all, path, changes[i].value);
		ck_assert_int_eq(told_check(report, changes[i].path), 0);
		text = page(report);
		has(text, "</html>\n");
		ck_assert_msg(!chart_has(text, "nan") && !chart_has(text, "inf"), "%s", changes[i].path);
		free(text);
		if (i == 3) { /* with all that is taken away */
			text = page(all);
			has(text, "It was never sealed");
			free(text);
		}
		json_decref(report);
	}
	json_decref(all);
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		json_int_t number;
		const char *text;
	} some[] = { { 0, "0" },
		     { 999, "999" },
		     { 1000, "1\u202f000" },
		     { 1234567, "1\u202f234\u202f567" },
		     { -1234, "-1\u202f234" } };

	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		markup_number(some[i].number, out);
		fclose(out);
		ck_assert_str_eq(text, some[i].text);
		free(text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tc = tcase_create("report");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, page_has_what_the_report_has);
	tcase_add_test(tc, text_is_escaped);
	tcase_add_loop_test(tc, bad_reports, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, no_reports);
	tcase_add_test(tc, poor_reports);
	tcase_add_test(tc, numbers);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
