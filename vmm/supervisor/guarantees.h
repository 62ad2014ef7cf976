/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_GUARANTEES_H
#define VMM_SUPERVISOR_GUARANTEES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "vmm/config/config.h"

/*
 * What a VM was promised, one row each, with what the kernel says of it: nothing here comes from what was asked for or
 * done. Where the kernel can't be asked, a guarantee is not to be had.
 */
enum guarantee_state { GUARANTEE_HELD, GUARANTEE_NOT_HELD, GUARANTEE_NOT_HAD };

#define GUARANTEE_TEXT	400 /* bytes */
#define GUARANTEE_WIDTH 100 /* columns of the printed table, with "nohype: " before each line */

struct guarantee {
	const char *name;
	enum guarantee_state state;
	char evidence[GUARANTEE_TEXT];
};

struct guarantees {
	unsigned int count;			/* 0: nothing was read yet */
	struct guarantee rows[GUARANTEE_COUNT]; /* by enum guarantee_id */
};

struct vm;

/*
 * Read all of them; nothing (.count 0) if the core manager has ended meanwhile. Disturbs no vCPU. When a VM is being
 * sealed this is done before its vCPUs go on, as they may end it at once.
 */
void guarantees_read(const struct vm *vm, struct guarantees *guarantees);

/* When they have gone on: what the core manager does last is waited for, up to a second, and read too if it lives. */
void guarantees_settle(const struct vm *vm, struct guarantees *guarantees);

/*
 * Is each that the configuration requires held? -ENOTSUP, reported: no. Nothing is required of what could not be read
 * because the guest has ended.
 */
int guarantees_require(const struct vm *vm, const struct guarantees *guarantees);

/* After its end: what can still be asked (of the exits) anew; the rest stays as it was. */
void guarantees_end(const struct vm *vm, struct guarantees *guarantees);

/*
 * Before the vCPUs go on: on how many of them the kernel counts the time for which the tripwire has been armed. Asking
 * interrupts the thread, so it is asked this once.
 */
unsigned int tripwires_armed(const struct vm *vm);

/* Put down what was found. */
void guarantee_set(struct guarantee *row, enum guarantee_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* guarantee_host.c, guarantee_core.c: one row each. */
void guarantee_cores(const struct vm *vm, struct guarantee *row);
void guarantee_memory(const struct vm *vm, struct guarantee *row);
void guarantee_pages(const struct vm *vm, struct guarantee *row);
void guarantee_devices(const struct vm *vm, struct guarantee *row);
void guarantee_exits(const struct vm *vm, struct guarantee *row);
void guarantee_calls(const struct vm *vm, struct guarantee *row);
void guarantee_functions(const struct vm *vm, struct guarantee *row);
void guarantee_cache(const struct vm *vm, struct guarantee *row);

/* "held", "not held", "not to be had here". */
const char *guarantee_state_name(enum guarantee_state state);

/*
 * A short table as messages: each line at most GUARANTEE_WIDTH columns, long evidence on lines of its own.
 * guarantee_line makes one of a row into @line: from @from on of the evidence, with @columns for the state's name; it
 * returns where the next line begins, or 0 after the last.
 */
void guarantees_print(const struct guarantees *guarantees);
size_t guarantee_line(const struct guarantee *row, size_t from, int columns, char line[GUARANTEE_WIDTH]);

/* [{"name": ..., "state": ..., "evidence": ...}, ...]; a new reference. */
json_t *guarantees_json(const struct guarantees *guarantees);

#endif
