/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_RINGS_MESSAGES_H
#define VMM_RINGS_MESSAGES_H

#include <stdint.h>

/*
 * Between the supervisor and the ring process, over one SOCK_SEQPACKET socket: the message that makes it, with its
 * fds; then orders one way and words the other. All are flat and of fixed size. The supervisor takes the ring process
 * for hostile: a guest may have won it.
 */
#define RINGS_START_MAGIC   0x73676e72 /* "rngs" */
#define RINGS_START_VERSION 1

/* The ring process is executed with one fd, the supervisor's socket, at this number: the core manager's is the same. */
#define RINGS_SOCKET 3

/* The fds that come with struct rings_start, in this order. */
enum rings_fd {
	RINGS_FD_MEMORY,
	RINGS_FD_SERIAL,   /* stream socket: the core manager's serial port; it ends at the seal */
	RINGS_FD_TERMINAL, /* stream socket: the supervisor's standard input and output */
	RINGS_FDS,
};

struct rings_start {
	uint32_t magic;
	uint32_t version;
	uint32_t size; /* of this struct */
	uint32_t supervisor_pid;
	uint32_t uid;	       /* to become, and gid; 0: stay who we are */
	uint32_t beat_ms;      /* a beat is wanted this often; 0: none is */
	uint32_t beats_missed; /* that many times beat_ms without one are worth a word */
	uint32_t reserved;
};

_Static_assert(sizeof(struct rings_start) == 32, "no padding in the start");

/* What the supervisor orders. The three that bring a fd bring a client, checked: a SOCK_SEQPACKET socket. */
enum rings_order_type {
	RINGS_SEALED = 1, /* or audited: what is typed goes to the rings from now on, and beats are wanted */
	RINGS_STOP,	  /* ask the guest to end */
	RINGS_FINISH,	  /* the guest is dead: pass on what it left, and exit */
	RINGS_CONSOLE,	  /* a client: the console, both ways */
	RINGS_LOGS,	  /* a client: the log as it is */
	RINGS_FOLLOW,	  /* a client: the log, and what comes */
};

struct rings_order {
	uint32_t type;
	uint32_t reserved;
};

/* What the ring process says. */
enum rings_word_type {
	RINGS_WORD_LOG = 1, /* level, text */
	RINGS_WORD_JAILED,  /* no way back from here; text: what of the jail this host doesn't have, or "" */
	RINGS_WORD_SILENT,  /* value: ms without a beat */
	RINGS_WORD_BEATS,   /* the first, or again after that */
	RINGS_WORD_ASKED,   /* after RINGS_STOP. value: 1 the guest was asked, 0 nobody there would listen */
};

struct rings_word {
	uint32_t type;
	uint32_t level; /* RINGS_WORD_LOG: enum log_level */
	uint64_t value;
	char text[496]; /* 0-terminated; printable, or the supervisor makes it so */
};

_Static_assert(sizeof(struct rings_word) == 512, "no padding in a word");

/*
 * What a console client sends: packets that begin with one of these. What it gets, and what a log client gets, is plain
 * bytes.
 */
enum rings_packet {
	RINGS_PACKET_BYTES = 'b',  /* then what was typed */
	RINGS_PACKET_WINDOW = 'w', /* then rows and columns, a uint16_t each */
};

#define RINGS_PACKET_MAX 4096 /* bytes of a packet, either way */

#endif
