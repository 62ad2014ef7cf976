// SPDX-License-Identifier: GPL-2.0-only
/* A supervisor's answer to "exits", for people: a table, or a whole screen of it. */
#include "vmm/cli/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/util.h"

#define TEXT_MAX 512 /* bytes of one text of the answer's, cut if longer */

static json_int_t member(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* A text, fit for a terminal whoever wrote it; @text has TEXT_MAX bytes. */
static const char *text_of(const json_t *object, const char *key, char *text)
{
	const char *value = json_string_value(json_object_get(object, key));

	return escape_text(text, TEXT_MAX, value ? value : "?", strlen(value ? value : "?"));
}

/* What is counted of one vCPU, or of all. */
struct counted {
	json_int_t before, host, guest;
};

static struct counted counted_of(const json_t *vcpu)
{
	struct counted counted = { .before = member(vcpu, "before_seal"),
				   .host = member(vcpu, "host") - member(vcpu, "host_before_seal") };

	/* the counters are no snapshot of one moment */
	counted.guest = MAX(member(vcpu, "exits") - counted.before - counted.host, 0);
	return counted;
}

void exits_print(const json_t *answer, FILE *out)
{
	char name[TEXT_MAX], state[TEXT_MAX], level[TEXT_MAX];
	const json_t *vcpu;
	size_t i;

	fprintf(out, "%s: %s (%s)\n", text_of(answer, "name", name), text_of(answer, "state", state),
		text_of(answer, "level", level));
	fprintf(out, "%5s %5s %15s %18s %15s\n", "vCPU", "core", "before the seal", "since, by the host",
		"by the guest");
	json_array_foreach (json_object_get(answer, "vcpus"), i, vcpu) {
		struct counted counted = counted_of(vcpu);

		fprintf(out,
			"%5" JSON_INTEGER_FORMAT " %5" JSON_INTEGER_FORMAT " %15" JSON_INTEGER_FORMAT
			" %18" JSON_INTEGER_FORMAT " %15" JSON_INTEGER_FORMAT "\n",
			member(vcpu, "vcpu"), member(vcpu, "core"), counted.before, counted.host, counted.guest);
	}
	for (i = 0; cache_line(answer, i, name, sizeof(name)); i++)
		fprintf(out, "%s\n", name);
}

/* --- one screen --- */

enum colour { PLAIN, BOLD, DIM, GOOD, BAD };

struct frame {
	const struct view *view;
	FILE *out;
	int row;  /* lines that are there */
	int left; /* columns of the current one that are free */
};

/* Begin a line; false if there is no room for one. */
static bool line_begin(struct frame *frame)
{
	if (frame->row >= frame->view->rows)
		return false;
	if (frame->row++)
		fputc('\n', frame->out);
	frame->left = frame->view->columns;
	return true;
}

__attribute__((format(printf, 3, 4))) static void put(struct frame *frame, enum colour colour, const char *fmt, ...)
{
	static const char *const codes[] = { "", "\033[1m", "\033[2m", "\033[32m", "\033[1;31m" };
	bool coloured = frame->view->colour && colour != PLAIN;
	char text[2 * TEXT_MAX];
	va_list ap;
	int len;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = MIN((int)strlen(text), frame->left);
	if (len <= 0)
		return;
	frame->left -= len;
	fprintf(frame->out, "%s%.*s%s", coloured ? codes[colour] : "", len, text, coloured ? "\033[0m" : "");
}

/* "12 s", "3 min 5 s", "2 h 10 min" */
static void put_duration(struct frame *frame, json_int_t ns)
{
	json_int_t s = ns / 1000000000;

	if (s < 60)
		put(frame, PLAIN, "%" JSON_INTEGER_FORMAT " s", s);
	else if (s < 3600)
		put(frame, PLAIN, "%" JSON_INTEGER_FORMAT " min %" JSON_INTEGER_FORMAT " s", s / 60, s % 60);
	else
		put(frame, PLAIN, "%" JSON_INTEGER_FORMAT " h %" JSON_INTEGER_FORMAT " min", s / 3600, s / 60 % 60);
}

/* When it came to the state that it is in, in ns from the start. */
static json_int_t state_since(const json_t *answer)
{
	const json_t *sealed = json_object_get(answer, "sealed_ns");

	return json_is_integer(sealed) ? json_integer_value(sealed) : member(answer, "asked_ns");
}

static void put_head(struct frame *frame)
{
	const json_t *now = frame->view->now;
	char name[TEXT_MAX], state[TEXT_MAX], level[TEXT_MAX];

	if (!line_begin(frame))
		return;
	text_of(now, "state", state);
	put(frame, BOLD, "%s", text_of(now, "name", name));
	put(frame, PLAIN, "  ");
	put(frame, strcmp(state, "sealed") == 0 ? GOOD : BOLD, "%s", state);
	put(frame, PLAIN, " (%s) for ", text_of(now, "level", level));
	put_duration(frame, member(now, "now_ns") - state_since(now));
	put(frame, DIM, "    Ctrl-C or q ends this view, and not the VM");
}

/* Exits a second since the answer before, of what @pick adds up, or -1. */
static json_int_t rate(const struct view *view, json_int_t now, json_int_t before)
{
	json_int_t ns = view->before ? member(view->now, "now_ns") - member(view->before, "now_ns") : 0;

	if (ns <= 0 || now < before)
		return -1;
	return (json_int_t)((double)(now - before) * 1e9 / (double)ns + 0.5);
}

static void put_number(struct frame *frame, enum colour colour, int width, json_int_t number)
{
	if (number < 0)
		put(frame, DIM, " %*s", width - 1, "-");
	else
		put(frame, colour, " %*" JSON_INTEGER_FORMAT, width - 1, number);
}

static void put_counted(struct frame *frame, const char *who, const char *core, const struct counted *now,
			const struct counted *before)
{
	const struct view *view = frame->view;
	json_int_t guest = rate(view, now->guest, before->guest);

	if (!line_begin(frame))
		return;
	put(frame, PLAIN, "%4s %4s", who, core);
	put_number(frame, PLAIN, 12, now->before);
	put_number(frame, PLAIN, 9, rate(view, now->before, before->before));
	put_number(frame, PLAIN, 12, now->host);
	put_number(frame, PLAIN, 9, rate(view, now->host, before->host));
	put_number(frame, now->guest ? BOLD : GOOD, 12, now->guest);
	put_number(frame, guest > 0 ? BAD : PLAIN, 9, guest);
}

#define ROWS_BESIDES 20 /* lines of a screen that aren't of one vCPU */

static void put_vcpus(struct frame *frame)
{
	const json_t *vcpus = json_object_get(frame->view->now, "vcpus"), *vcpu;
	const json_t *earlier = json_object_get(frame->view->before, "vcpus");
	size_t room = (size_t)MAX(frame->view->rows - ROWS_BESIDES, 1), i;
	struct counted all = { 0 }, all_before = { 0 };
	char who[24], core[24];

	json_array_foreach ((json_t *)vcpus, i, vcpu) {
		struct counted now = counted_of(vcpu), before = counted_of(json_array_get(earlier, i));

		all = (struct counted){ all.before + now.before, all.host + now.host, all.guest + now.guest };
		all_before = (struct counted){ all_before.before + before.before, all_before.host + before.host,
					       all_before.guest + before.guest };
		snprintf(who, sizeof(who), "%" JSON_INTEGER_FORMAT, member(vcpu, "vcpu"));
		snprintf(core, sizeof(core), "%" JSON_INTEGER_FORMAT, member(vcpu, "core"));
		if (i < room)
			put_counted(frame, who, core, &now, &before);
	}
	if (json_array_size(vcpus) > room && line_begin(frame))
		put(frame, DIM, "     and %zu more vCPUs, for which this terminal has no room",
		    json_array_size(vcpus) - room);
	if (json_array_size(vcpus) > 1)
		put_counted(frame, "all", "", &all, &all_before);
}

static void put_table(struct frame *frame)
{
	if (line_begin(frame) && line_begin(frame))
		put(frame, DIM, "         %21s%21s%21s", "before the seal", "since, by the host", "by the guest");
	if (line_begin(frame))
		put(frame, DIM, "vCPU core%12s%9s%12s%9s%12s%9s", "exits", "/s", "exits", "/s", "exits", "/s");
	put_vcpus(frame);
}

/* What was let through, of all vCPUs together. */
static void put_exceptions(struct frame *frame)
{
	json_t *sums = json_object(), *vcpu, *count;
	const char *name;
	size_t i;

	json_array_foreach (json_object_get(frame->view->now, "vcpus"), i, vcpu)
		json_object_foreach (json_object_get(vcpu, "exceptions"), name, count)
			json_object_set_new(sums, name, json_integer(member(sums, name) + json_integer_value(count)));
	if (json_object_size(sums) && line_begin(frame) && line_begin(frame))
		put(frame, PLAIN, "Exceptions, of the guest's:");
	json_object_foreach (sums, name, count) {
		char text[TEXT_MAX];

		put(frame, PLAIN, "  %s %" JSON_INTEGER_FORMAT, escape_text(text, sizeof(text), name, strlen(name)),
		    json_integer_value(count));
	}
	json_decref(sums);
}

static void put_cache(struct frame *frame)
{
	char text[TEXT_MAX];

	for (size_t i = 0; cache_line(frame->view->now, i, text, sizeof(text)); i++)
		if ((i || line_begin(frame)) && line_begin(frame))
			put(frame, PLAIN, "%s", text);
}

static void put_guarantees(struct frame *frame)
{
	const json_t *guarantee;
	size_t i;

	if (!json_array_size(json_object_get(frame->view->now, "guarantees")))
		return;
	if (line_begin(frame) && line_begin(frame))
		put(frame, PLAIN, "Guarantees, as read back from the kernel");
	json_array_foreach (json_object_get(frame->view->now, "guarantees"), i, guarantee) {
		char name[TEXT_MAX], state[TEXT_MAX], evidence[TEXT_MAX];

		if (!line_begin(frame))
			return;
		text_of(guarantee, "state", state);
		put(frame, PLAIN, "  %-14s  ", text_of(guarantee, "name", name));
		put(frame, strcmp(state, "held") == 0 ? GOOD : BAD, "%-8s", state);
		put(frame, DIM, "  %s", text_of(guarantee, "evidence", evidence));
	}
}

void view_draw(const struct view *view, FILE *out)
{
	struct frame frame = { .view = view, .out = out };

	put_head(&frame);
	put_table(&frame);
	put_exceptions(&frame);
	put_cache(&frame);
	put_guarantees(&frame);
}
