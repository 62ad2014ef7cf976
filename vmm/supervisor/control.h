/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_CONTROL_H
#define VMM_SUPERVISOR_CONTROL_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * The supervisor's control socket: one request a connection, a word; one answer, a JSON object on a line. Its address
 * is an abstract one (unix(7)), nohype/UID/NAME: it goes with the process that holds it, however that ends, and nothing
 * lies in a folder; one name is one VM. Such an address has no mode, so either side asks the kernel who the other is.
 */
#define CONTROL_TEXT_MAX 65536 /* bytes of an answer: 255 vCPUs, a line each */
#define CONTROL_WORD_MAX 32

/* The address of the VM @name of user @uid; its length. */
socklen_t control_address(struct sockaddr_un *address, uid_t uid, const char *name);

/*
 * A connection to the supervisor of the VM @name of this user, on which each step waits @ms milliseconds at most. The
 * fd, with who is at the other end in @peer, or negative errno, not reported: -ESRCH: no such VM runs; -EPERM: its
 * holder is someone else; -ETIMEDOUT.
 */
int control_connect(const char *name, unsigned int ms, struct ucred *peer);

/*
 * Send @word to the VM @name of this user, and put the answer into @answer. -ESRCH: no such VM runs; -EPERM: its
 * holder is someone else. Reported.
 */
int control_ask(const char *name, const char *word, char *answer, size_t size);

/*
 * The same, and the connection is kept: what comes on it after the answer is the VM's console or log, in packets. The
 * fd, on which a read waits 5 s at most, or negative errno, reported.
 */
int control_attach(const char *name, const char *word, char *answer, size_t size);

/* The same as control_ask, and nothing is reported. */
int control_try(const char *name, const char *word, char *answer, size_t size);

/* The same, for one who can't wait: -ETIMEDOUT after @ms milliseconds and a bit. */
int control_try_for(const char *name, const char *word, char *answer, size_t size, unsigned int ms);

#endif
