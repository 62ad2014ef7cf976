/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_MANAGER_H
#define VMM_CLI_MANAGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/cli/cli.h"

#define VM_PATH_MAX 256 /* bytes of a resource's path */

/* wishes.c: what the commands about a VM take; which of them, their synopsis says. */
struct wishes {
	bool json;
	bool wait;
	uint64_t timeout;    /* ms to wait; 0: for ever */
	const char *operand; /* NULL: none */
};

/* -EINVAL, reported, if the command line is wrong. */
int wishes_parse(struct wishes *wishes, const struct command *cmd, int argc, char **argv);

/* The path of a VM's resource, if @name can be one's; EXIT_USAGE, reported, if not. */
int vm_path(const struct command *cmd, const char *name, const char *rest, char path[VM_PATH_MAX]);

/* Which exit code a status of nohyped's makes. */
int exit_of(int status);

/* One line on standard output. */
void json_print(const json_t *json);

/*
 * await.c: until the VM @name, which an answer of nohyped's, @vm, is about, is what was wanted: sealed (or audited), or
 * gone for good. nohyped may be replaced meanwhile. *@last is what was seen last, owned by the caller, or NULL. The
 * exit code: EXIT_CLEAN for what was wanted, EXIT_TIMEOUT, or that of its end.
 */
enum awaited { AWAIT_SEALED, AWAIT_GONE };
int vm_await(const char *name, const json_t *vm, enum awaited wanted, uint64_t timeout, json_t **last);

#endif
