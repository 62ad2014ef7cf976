// SPDX-License-Identifier: GPL-2.0-only
/* All VMs as a table: what `nohype top` shows. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/util.h"
#include "vmm/cli/view.h"

#define LINE_SIZE  640
#define CELL_SIZE  32
#define CAUSES_MAX 4 /* that are told one by one */

static json_int_t member(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Fit for a terminal, whoever wrote it. */
static void text_cell(const json_t *object, const char *key, char *cell, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	escape_text(cell, size, text ? text : "-", strlen(text ? text : "-"));
}

/* "2-5,7"; what doesn't fit ends in "..". */
static void cores_cell(const json_t *vcpus, char *cell, size_t size)
{
	size_t count = json_array_size(vcpus), len = 0, end;

	snprintf(cell, size, "-");
	for (size_t i = 0; i < count && len < size; i = end) {
		json_int_t first = member(json_array_get(vcpus, i), "core"), last = first;

		for (end = i + 1; end < count && member(json_array_get(vcpus, end), "core") == last + 1; end++)
			last++;
		len += (size_t)snprintf(cell + len, size - len, "%s%" JSON_INTEGER_FORMAT, len ? "," : "", first);
		if (last > first && len < size)
			len += (size_t)snprintf(cell + len, size - len, "-%" JSON_INTEGER_FORMAT, last);
	}
	if (len >= size)
		memcpy(cell + size - 3, "..", 3);
}

/* Of all vCPUs. The counters are no snapshot of one moment. */
struct sums {
	json_int_t before, host, guest;
};

static struct sums sums_of(const json_t *live)
{
	struct sums sums = { 0 };
	json_int_t all = 0;
	const json_t *vcpu;
	size_t i;

	json_array_foreach (json_object_get(live, "vcpus"), i, vcpu) {
		all += member(vcpu, "exits");
		sums.before += member(vcpu, "before_seal");
		sums.host += member(vcpu, "host") - member(vcpu, "host_before_seal");
	}
	sums.guest = MAX(all - sums.before - sums.host, 0);
	return sums;
}

/* A second, between two looks at one life of it; -1: not to be told. */
static double rate(const json_t *now, const json_t *before, json_int_t value, json_int_t value_before)
{
	json_int_t ns = member(now, "now_ns") - member(before, "now_ns");

	if (!json_is_object(now) || !json_is_object(before) || ns <= 0 || value < value_before)
		return -1;
	return (double)(value - value_before) * 1e9 / (double)ns;
}

static void rate_cell(double value, char *cell)
{
	if (value < 0)
		snprintf(cell, CELL_SIZE, "-");
	else
		snprintf(cell, CELL_SIZE, "%.0f", value);
}

/* Bytes a second. */
static void traffic_cell(const json_t *now, const json_t *before, char *cell)
{
	const json_t *bytes = json_object_get(now, "memory_traffic_bytes");
	double value = -1;

	if (json_is_integer(bytes) && json_is_integer(json_object_get(before, "memory_traffic_bytes")))
		value = rate(now, before, json_integer_value(bytes), member(before, "memory_traffic_bytes"));
	if (value < 0)
		snprintf(cell, CELL_SIZE, "-");
	else
		snprintf(cell, CELL_SIZE, "%.1f MB/s", value / 1e6);
}

struct cause {
	const char *name;
	json_int_t count;
};

static int cause_compare(const void *a, const void *b)
{
	const struct cause *one = a, *two = b;

	if (one->count != two->count)
		return one->count < two->count ? 1 : -1;
	return strcmp(one->name, two->name);
}

/* "interrupt 50, HLT 2", the most frequent first; the rest together. */
static void causes_cell(const json_t *live, char *cell, size_t size)
{
	json_t *reasons = json_object_get(live, "reasons"), *value;
	struct cause causes[128];
	size_t count = 0, len = 0, told;
	json_int_t rest = 0;
	const char *name;

	snprintf(cell, size, json_is_object(reasons) ? "none" : "-");
	json_object_foreach (reasons, name, value)
		if (count < ARRAY_SIZE(causes))
			causes[count++] = (struct cause){ name, json_integer_value(value) };
	qsort(causes, count, sizeof(*causes), cause_compare);
	told = MIN(count, CAUSES_MAX);
	for (size_t i = told; i < count; i++)
		rest += causes[i].count;
	for (size_t i = 0; i < told && len < size; i++) {
		char tame[48];

		len += (size_t)snprintf(cell + len, size - len, "%s%s %" JSON_INTEGER_FORMAT, len ? ", " : "",
					escape_text(tame, sizeof(tame), causes[i].name, strlen(causes[i].name)),
					causes[i].count);
	}
	if (rest && len < size)
		snprintf(cell + len, size - len, ", others %" JSON_INTEGER_FORMAT, rest);
}

static const char head[] = "%-16s %-9s %-8s %11s %11s %7s %7s %12s %-9s %s";

static void vm_line(const json_t *vm, const json_t *before, char *line)
{
	char name[CELL_SIZE], state[CELL_SIZE], cores[9], heart[CELL_SIZE], causes[256], cells[5][CELL_SIZE];
	const json_t *live = json_object_get(vm, "live"), *earlier = json_object_get(before, "live");
	struct sums now = sums_of(live), then = sums_of(earlier);
	const json_int_t numbers[] = { now.before, now.host, now.guest };

	text_cell(vm, "name", name, sizeof(name));
	text_cell(vm, "state", state, sizeof(state));
	text_cell(live, "heartbeat", heart, sizeof(heart));
	cores_cell(json_object_get(live, "vcpus"), cores, sizeof(cores));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		snprintf(cells[i], CELL_SIZE, "-");
		if (json_is_object(live))
			snprintf(cells[i], CELL_SIZE, "%" JSON_INTEGER_FORMAT, numbers[i]);
	}
	rate_cell(rate(live, earlier, now.host, then.host), cells[3]);
	traffic_cell(live, earlier, cells[4]);
	causes_cell(live, causes, sizeof(causes));
	snprintf(line, LINE_SIZE, head, name, state, cores, cells[0], cells[1], cells[3], cells[2], cells[4], heart,
		 causes);
}

/* What was seen of the same life of it before, or NULL. */
static const json_t *earlier_find(const json_t *before, const json_t *vm)
{
	const char *name = json_string_value(json_object_get(vm, "name"));
	const json_t *earlier;
	size_t i;

	json_array_foreach (before, i, earlier) {
		const char *other = json_string_value(json_object_get(earlier, "name"));

		if (name && other && strcmp(name, other) == 0 && member(earlier, "run") == member(vm, "run"))
			return earlier;
	}
	return NULL;
}

void top_draw(const struct top_view *view, FILE *out)
{
	size_t count = json_array_size(view->now), room = (size_t)MAX(view->rows - 2, 0), shown = MIN(count, room);
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), head, "NAME", "STATE", "CORES", "BEFORE SEAL", "INTERRUPTED", "/s", "GUEST",
		 "MEMORY", "HEARTBEAT", "EXITS SINCE THE SEAL");
	fprintf(out, "%.*s\n", view->columns, line);
	for (size_t i = 0; i < shown; i++) {
		const json_t *vm = json_array_get(view->now, i);

		vm_line(vm, earlier_find(view->before, vm), line);
		fprintf(out, "%.*s\n", view->columns, line);
	}
	if (shown < count && view->rows > 1)
		fprintf(out, "%.*s", view->columns, "and more, for which this terminal has no room");
}
