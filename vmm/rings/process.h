/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_RINGS_PROCESS_H
#define VMM_RINGS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rings/rings.h"
#include "seccomp/filter.h"
#include "vmm/rings/messages.h"

/*
 * The ring process: the host's side of a VM's rings, and nothing else. It maps the shared memory alone, opens nothing,
 * and is jailed before it looks at what the guest wrote. A wake does a bounded amount of work, whatever stands there.
 */
#define CLIENTS_MAX	17 /* the supervisor's terminal, and 16 others */
#define CONSOLE_HISTORY (64 << 10)
#define LOG_HISTORY	(4 << 20) /* bytes of log that are kept for `nohype logs` */
#define STUCK_NS                                                                                                      \
	(10 * INT64_C(1000000000))	    /* a client that takes nothing for so long, while others wait, is cut off \
					     */
#define FINISH_NS (2 * INT64_C(1000000000)) /* for passing on a dead guest's last words */
#define POLL_BUSY 1			    /* ms between two looks at the rings while something comes */
#define POLL_IDLE 16			    /* and at most */

/* What comes from the guest, for several readers: the last @size bytes of all @count that there ever were. */
struct stream {
	uint8_t *bytes;
	size_t size;
	uint64_t count;
};

enum client_kind { CLIENT_TERMINAL, CLIENT_CONSOLE, CLIENT_LOGS, CLIENT_FOLLOW };

struct client {
	int fd; /* -1: none */
	enum client_kind kind;
	uint64_t at;	 /* of its stream, the next byte for it */
	uint64_t until;	 /* CLIENT_LOGS: where it ends */
	int64_t took_at; /* ns, CLOCK_MONOTONIC: when it last took something, or had nothing to take */
};

struct heart {
	uint32_t beat_ms; /* 0: nobody wants to know */
	uint32_t missed;
	bool watched; /* a beat was there, or the guest is sealed */
	bool heard;   /* the supervisor knows of a beat */
	bool silent;
	uint64_t beats;
	int64_t last; /* ns: when they last changed */
};

struct rings_process {
	struct rings_start start; /* our checked copy */
	int memory_fd;
	int serial_fd; /* -1: gone, with the seal or the core manager */
	struct rings *shared;
	struct ring_end console_in, console_out, log;
	bool told_broken;
	struct stream console, logged;
	struct client clients[CLIENTS_MAX]; /* [0] is the supervisor's terminal */
	uint8_t typed[RINGS_PACKET_MAX];    /* and not yet taken by the guest */
	size_t typed_count;
	bool to_rings; /* where it goes: RINGS_SEALED was there */
	struct heart heart;
	int64_t finish_by; /* ns; 0: the guest lives */
};

/* receive.c: wait for struct rings_start, check it, take its fds. Negative errno; says nothing, as there is no one to.
 */
int start_receive(int socket, struct rings_process *process);
int start_check(const struct rings_start *start);

/* words.c: a word to the supervisor; lost if it isn't there any more. Text is cut to fit. */
void word_write(const struct rings_word *word);
void word_send(enum rings_word_type type, uint64_t value, const char *text);

/* stream.c: where the next bytes go, *@len of them until the buffer's end; then say how many came. */
uint8_t *stream_next(struct stream *stream, size_t *len);
void stream_add(struct stream *stream, size_t len);
/* The bytes from @at on that lie in one piece, at most @max; @at is one of the last @size. */
const uint8_t *stream_at(const struct stream *stream, uint64_t at, size_t max, size_t *len);
/* Where a new reader begins: with the oldest whole line; or with the line that isn't ended yet. */
uint64_t stream_oldest(const struct stream *stream);
uint64_t stream_line(const struct stream *stream);

/* clients.c: take @fd over, of which @kind it is. Closed if there is no room. */
void client_add(struct rings_process *process, int fd, enum client_kind kind, int64_t now);
/* What the stream's readers leave room for; those of them that have been stuck for too long are cut off. */
size_t clients_room(struct rings_process *process, const struct stream *stream, int64_t now);
/* Send each what there is for it; true: something went. */
bool clients_flush(struct rings_process *process, int64_t now);
bool client_is_behind(const struct rings_process *process, const struct client *client);
/* Take what was typed, if what was typed before is gone. */
void client_read(struct rings_process *process, struct client *client);
void client_drop(struct client *client);

/* pump.c: the guest's side of it, both ways, once; true: something moved. */
bool serial_read(struct rings_process *process, int64_t now);
bool typed_pass(struct rings_process *process);
bool rings_pump(struct rings_process *process, int64_t now);

/* heart.c: look for beats. heart_begin: from now on they are wanted. */
void heart_begin(struct heart *heart, int64_t now);
void heart_check(struct heart *heart, const struct rings *shared, int64_t now);

/* orders.c: take one order. False: the supervisor is gone, or talks nonsense. */
bool order_receive(struct rings_process *process, int64_t now);

/* loop.c: until the supervisor goes away. rings_map comes before: the memory, made ours. */
int rings_map(struct rings_process *process);
void rings_loop(struct rings_process *process) __attribute__((noreturn));

/* calls.c: what it may ask of the kernel. */
extern const struct rule_table filter_rings;

#endif
