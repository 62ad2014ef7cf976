/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_TERMINAL_H
#define VMM_SUPERVISOR_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Standard input as the guest's keyboard. A terminal is made raw, and put back by terminal_restore or, if this process
 * is killed, by a small process that does nothing else. @escape: what Ctrl-A x does, as "ends it", for the user.
 */
struct terminal;
struct terminal *terminal_open(const char *escape);
void terminal_restore(struct terminal *terminal);
/* May standard input be read? A terminal is its foreground's alone. */
bool terminal_is_input(const struct terminal *terminal);
/* Bytes for the guest out of @bytes (in place); *@quit: the escape, Ctrl-A x, was typed. */
size_t terminal_filter(struct terminal *terminal, char *bytes, size_t len, bool *quit);

#endif
