/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_JAIL_JAIL_H
#define VMM_JAIL_JAIL_H

#include <stddef.h>
#include <stdint.h>

/*
 * The jail of the processes that a guest could win: the core manager's and the ring process'. nohype(1), THE JAIL,
 * lists its steps in the same order; each process puts its own system call filter on after them.
 */

/*
 * Before anything from outside is read: no core file, no exec that gives rights back, signals at their default, and of
 * what the starter left open @socket alone. Nothing of this can fail for want of privilege. Negative errno, not
 * reported.
 */
int jail_begin(int socket);

/*
 * The rest: namespaces, an empty root, @uid (0: stay who we are, a plain user's), no capabilities, Landlock, and death
 * with the supervisor, whose pid is @supervisor_pid. What this host doesn't give a plain user is left in @lacking (a
 * list for people, "" if nothing). Negative errno, reported as @whose jail.
 */
int jail_close(const char *whose, uint32_t uid, uint32_t supervisor_pid, char *lacking, size_t size);

#endif
