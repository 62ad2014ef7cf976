// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's life, for the system manager: one record a state and one a step, appended to a file that it has opened and
 * locked (flock(2)): the lock lives as long as this process, so whoever finds the file can tell whether the VM does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/record.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define CONSOLE_MAX  MIB(1) /* bytes */
#define CONSOLE_KEEP KIB(64)

static void life_write(struct vm *vm, json_t *record)
{
	char *text = json_dumps(record, JSON_COMPACT);
	int err = text ? record_append(LIFE_FD, text) : -ENOMEM;

	if (err)
		warn("%s: the system manager wasn't told of its state: %s", vm->cfg->name, strerror(-err));
	free(text);
	json_decref(record);
}

int life_begin(struct vm *vm)
{
	if (!vm->opt->managed)
		return 0;
	if (fcntl(LIFE_FD, F_SETFD, FD_CLOEXEC) || !(fcntl(LIFE_FD, F_GETFL) & O_APPEND))
		return fail(-EBADF, "option --managed: fd %d isn't open for appending: only nohyped gives this option",
			    LIFE_FD);
	life_say(vm, "planned");
	return 0;
}

static void state_write(struct vm *vm, const char *state, json_t *cause)
{
	json_t *record =
		json_pack("{s:s, s:I, s:i, s:i, s:o*}", "state", state, "ns", (json_int_t)(clock_now() - vm->started),
			  "pid", (int)getpid(), "core", (int)vm->core_pid, "cause", cause);

	if (vm->cfg->clear_verify) /* for who clears when we have been killed */
		json_object_set_new(record, "verify", json_true());
	life_write(vm, record);
}

void life_say(struct vm *vm, const char *state)
{
	if (vm->opt->managed)
		state_write(vm, state, NULL);
}

/* For who has to tell the end when we are killed on the way to it: a violation stays one. */
void life_cause(struct vm *vm, const struct outcome *outcome)
{
	if (vm->opt->managed)
		state_write(vm, outcome->code == EXIT_CLEAN ? "stopping" : "aborting",
			    json_pack("{s:i, s:s, s:o}", "code", (int)outcome->code, "text", outcome->text, "violation",
				      violation_json(vm)));
}

void life_step(struct vm *vm, const char *sequence, const char *step, int64_t ns)
{
	if (vm->opt->managed)
		life_write(vm, json_pack("{s:s, s:s, s:I}", "sequence", sequence, "step", step, "ns", (json_int_t)ns));
}

void life_change(struct vm *vm, const char *guarantee, const char *state, const char *evidence)
{
	if (vm->opt->managed)
		life_write(vm, json_pack("{s:{s:s*, s:s, s:s, s:I}}", "change", "guarantee", guarantee, "state", state,
					 "text", evidence, "ns", (json_int_t)(clock_now() - vm->started)));
}

/* By a word or a signal, and not by the guest or for what it did. */
static bool was_ordered(const struct vm *vm)
{
	return vm->abandoned || vm->rings.stop_by || (vm->stop_reason && vm->stop_code == EXIT_CLEAN);
}

void life_end(struct vm *vm, const struct outcome *outcome)
{
	if (!vm->opt->managed)
		return;
	life_write(vm, json_pack("{s:s, s:I, s:i, s:s, s:o, s:I, s:b}", "state", "gone", "ns",
				 (json_int_t)(clock_now() - vm->started), "code", (int)outcome->code, "text",
				 outcome->text, "violation", violation_json(vm), "cleared_bytes",
				 (json_int_t)vm->cleared.bytes, "ordered", was_ordered(vm)));
}

/* stdout is open for appending: what is written after the cut follows what was kept. */
void life_console(void)
{
	static const char note[] = "\n[nohype: what was printed before was dropped]\n";
	char *tail;
	struct stat st;
	ssize_t len;

	if (fstat(STDOUT_FILENO, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < CONSOLE_MAX)
		return;
	tail = malloc(CONSOLE_KEEP);
	len = tail ? pread(STDOUT_FILENO, tail, CONSOLE_KEEP, st.st_size - (off_t)CONSOLE_KEEP) : 0;
	if (ftruncate(STDOUT_FILENO, 0) || write(STDOUT_FILENO, note, strlen(note)) < 0 ||
	    (len > 0 && write(STDOUT_FILENO, tail, (size_t)len) < 0))
		warn("console: %s", strerror(errno));
	free(tail);
}
