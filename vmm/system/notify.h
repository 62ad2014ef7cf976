/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SYSTEM_NOTIFY_H
#define VMM_SYSTEM_NOTIFY_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Who is told of every event. Each target has a process of its own that reads STATE/events, where they are before they
 * are told, and keeps the number of the last that was taken in STATE/notify/NAME: in order, each at least once.
 */
#define TARGETS_MAX 8
#define SECRET_MAX  1024

struct target {
	const char *name;	 /* the JSON's, as are the other texts */
	const char *url;	 /* or NULL */
	const char *unix_socket; /* through which; NULL: TCP */
	const char *secret_file; /* NULL: not signed */
	json_t *command;	 /* array of texts, or NULL */
	int journal;
	unsigned char secret[SECRET_MAX];
	size_t secret_len;
	pid_t pid;
};

struct targets {
	json_t *json;	  /* owns the texts */
	json_t *requests; /* of the file, for limit_read; NULL: not there */
	unsigned int count;
	struct target list[TARGETS_MAX];
};

/* notify_config.c: those of @path; NULL: none. -EINVAL and others, reported. */
int targets_read(struct targets *targets, const char *path);

/* notify_send.c: one event, a line of JSON. 0: it was taken; else why not, in @why. */
int target_send(const struct target *target, const char *event, json_int_t id, char *why, size_t size);

/* Lower-case hexadecimal HMAC-SHA256 of @text. */
void signature_make(const unsigned char *secret, size_t len, const char *text, char hex[65]);

/*
 * notify.c: all processes run, those that have ended too; begins with the event after @last where a target is new.
 * positions_last: the largest number that any target has taken, which no other event may have; 0: none.
 */
json_int_t positions_last(const char *state);
void targets_run(struct targets *targets, const char *state, json_int_t last);

#endif
