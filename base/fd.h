/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#define FD_PASS_MAX 40 /* fds of one message */

/* Close *@fd, if it is one, and make it -1. */
void fd_close(int *fd);

/*
 * Send one message over the SOCK_SEQPACKET @socket, with copies of @count fds (0 to FD_PASS_MAX). @flags as for
 * send(2); a peer that is gone is no signal. 0 or negative errno; reports nothing.
 */
int fd_send(int socket, const void *bytes, size_t size, const int *fds, size_t count, int flags);

/*
 * Receive one message into @bytes, and its fds (close on exec) into @fds; those of @max that didn't come are -1. What
 * is there is the caller's in any case. The length; more than @size for a message that has more bytes or fds than asked
 * for; 0 at the end; negative errno. Reports nothing.
 */
ssize_t fd_receive(int socket, void *bytes, size_t size, int *fds, size_t max, int flags);

#endif
