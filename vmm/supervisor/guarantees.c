// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/guarantees.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"
#include "vmm/supervisor/proc.h"

static void (*const table[])(const struct vm *vm, struct guarantee *row) = {
	[GUARANTEE_CORES] = guarantee_cores,	     [GUARANTEE_MEMORY] = guarantee_memory,
	[GUARANTEE_PAGES] = guarantee_pages,	     [GUARANTEE_DEVICES] = guarantee_devices,
	[GUARANTEE_EXITS] = guarantee_exits,	     [GUARANTEE_CALLS] = guarantee_calls,
	[GUARANTEE_FUNCTIONS] = guarantee_functions, [GUARANTEE_CACHE] = guarantee_cache,
};
_Static_assert(ARRAY_SIZE(table) == GUARANTEE_COUNT, "each can be read");

const char *guarantee_state_name(enum guarantee_state state)
{
	static const char *const names[] = {
		[GUARANTEE_HELD] = "held",
		[GUARANTEE_NOT_HELD] = "not held",
		[GUARANTEE_NOT_HAD] = "not to be had here",
	};

	return names[state];
}

void guarantee_set(struct guarantee *row, enum guarantee_state state, const char *fmt, ...)
{
	va_list ap;

	row->state = state;
	va_start(ap, fmt);
	vsnprintf(row->evidence, sizeof(row->evidence), fmt, ap);
	va_end(ap);
}

/* A thread that ends loses its memory first: what was read before it had, was read of a living one. */
static bool thread_lives(pid_t pid, pid_t tid)
{
	char status[STATUS_MAX];
	uint64_t locked;

	return !status_read(pid, tid, status) && status_number(status, "VmLck", 10, &locked);
}

static bool core_lives(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->seal.count; i++)
		if (!thread_lives(vm->core_pid, vm->seal.vcpus[i].tid))
			return false;
	return !vm->core_gone && thread_lives(vm->core_pid, vm->core_pid);
}

void guarantees_read(const struct vm *vm, struct guarantees *guarantees)
{
	*guarantees = (struct guarantees){ .count = GUARANTEE_COUNT };
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		guarantees->rows[i].name = guarantee_name(i);
		table[i](vm, &guarantees->rows[i]);
	}
	if (!core_lives(vm))
		guarantees->count = 0;
}

#define PATIENCE 1000 /* tries, a millisecond each */

void guarantees_settle(const struct vm *vm, struct guarantees *guarantees)
{
	struct guarantee row = { .name = guarantee_name(GUARANTEE_CALLS) };
	bool living;
	int tries = 0;

	do {
		guarantee_calls(vm, &row);
		living = core_lives(vm);
	} while (living && row.state != GUARANTEE_HELD && ++tries < PATIENCE && !poll(NULL, 0, 1));
	if (living)
		guarantees->rows[GUARANTEE_CALLS] = row;
}

int guarantees_require(const struct vm *vm, const struct guarantees *guarantees)
{
	int err = 0;

	for (unsigned int i = 0; i < guarantees->count; i++) {
		const struct guarantee *row = &guarantees->rows[i];

		if (vm->cfg->require & 1U << i && row->state != GUARANTEE_HELD)
			err = fail(-ENOTSUP, "require: %s: %s: %s", row->name, guarantee_state_name(row->state),
				   row->evidence);
	}
	return err;
}

void guarantees_end(const struct vm *vm, struct guarantees *guarantees)
{
	if (guarantees->count)
		guarantee_exits(vm, &guarantees->rows[GUARANTEE_EXITS]);
}

#define PREFIX "nohype: " /* as base/log.c writes it */

/* How much of @text is said in @room columns: up to the last space that fits, or all of it. */
static size_t text_fit(const char *text, size_t room)
{
	size_t len = strlen(text), fit = room;

	if (len <= room)
		return len;
	while (fit && text[fit] != ' ')
		fit--;
	return fit ? fit : room;
}

size_t guarantee_line(const struct guarantee *row, size_t from, int columns, char line[GUARANTEE_WIDTH])
{
	const char *text = row->evidence + from;
	int used = snprintf(line, GUARANTEE_WIDTH, "  %-14s  %-*s  ", from ? "" : row->name, columns,
			    from ? "" : guarantee_state_name(row->state));
	size_t fit = text_fit(text, GUARANTEE_WIDTH - sizeof(PREFIX) - (size_t)used);

	snprintf(line + used, GUARANTEE_WIDTH - (size_t)used, "%.*s", (int)fit, text);
	text += fit;
	text += *text == ' ';
	return *text ? (size_t)(text - row->evidence) : 0;
}

/* The widest name of a state that is there. */
static int state_columns(const struct guarantees *guarantees)
{
	size_t columns = 0;

	for (unsigned int i = 0; i < guarantees->count; i++)
		columns = MAX(columns, strlen(guarantee_state_name(guarantees->rows[i].state)));
	return (int)columns;
}

void guarantees_print(const struct guarantees *guarantees)
{
	if (guarantees->count)
		note("guarantees, as read back from the kernel:");
	else
		note("guarantees: it had ended before they could be read");
	for (unsigned int i = 0; i < guarantees->count; i++) {
		char line[GUARANTEE_WIDTH];
		size_t at = 0;

		do {
			at = guarantee_line(&guarantees->rows[i], at, state_columns(guarantees), line);
			note("%s", line);
		} while (at);
	}
}

json_t *guarantees_json(const struct guarantees *guarantees)
{
	json_t *rows = json_array();

	for (unsigned int i = 0; i < guarantees->count; i++) {
		const struct guarantee *row = &guarantees->rows[i];

		json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", row->name, "state",
						      guarantee_state_name(row->state), "evidence", row->evidence));
	}
	return rows;
}
