/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_FORKED_H
#define BASE_FORKED_H

#include <stddef.h>
#include <sys/types.h>

/* What a forked process has of the one that it was forked by. */

/*
 * In such a process: close all fds from 3 on but the @count in @fds (-1: none). Whatever it has open stays open, and
 * locked, until it ends too.
 */
void forked_keep(const int *fds, size_t count);

/*
 * flock(2) of @fd, a record that process @pid has locked as long as it lives: 0; -EWOULDBLOCK: it lives. What it had
 * forked has that lock too and dies with it, but maybe a moment later: that is waited for, FORKED_MS at most. Other
 * negative errno; reports nothing.
 */
#define FORKED_MS 10000
int forked_lock(int fd, pid_t pid);

#endif
