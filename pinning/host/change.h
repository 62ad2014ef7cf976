/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_HOST_CHANGE_H
#define PINNING_HOST_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One value of the host's that is changed. Values are text in one form a kind, so that equal values are equal text,
 * however the kernel spells them.
 */
enum change_kind {
	CHANGE_TEXT,   /* as it is */
	CHANGE_NUMBER, /* decimal */
	CHANGE_LIST,   /* of CPUs, in a file that has a list */
	CHANGE_MASK,   /* the same list, in a file that has a mask */
	CHANGE_WORD,   /* one word of several in a file; "": it isn't there. Written as "+WORD" or "-WORD" */
	CHANGE_FOLDER, /* "there" or "absent" */
	CHANGE_TASK,   /* the list of CPUs that the task with this /proc/TID may run on */
	CHANGE_KINDS,
};

/* What it is about, in the order in which it is applied; also the order in which a plan shows it. */
enum subject {
	SUBJECT_TRACEPOINT,
	SUBJECT_INTERRUPTS,
	SUBJECT_WORKQUEUES,
	SUBJECT_WATCHDOG,
	SUBJECT_NETWORK,
	SUBJECT_MACHINE_CHECKS,
	SUBJECT_KHUGEPAGED,
	SUBJECT_FAIR_SERVER,
	SUBJECT_FREQUENCY,
	SUBJECT_IDLE,
	SUBJECT_PARTITION,
	SUBJECT_TASKS,
	SUBJECTS,
};

/* Bits of change.flags. */
#define CHANGE_MAY_BE_REFUSED 1U  /* some the kernel keeps to itself, or hasn't: no error then */
#define CHANGE_REFUSED	      2U  /* it did */
#define CHANGE_GOES	      4U  /* goes with the folder that it is in: not restored by itself */
#define CHANGE_FOLLOWS	      8U  /* the kernel sets it: only restored, where making the partition has lost it */
#define CHANGE_ROUNDED	      16U /* the kernel makes another number of it: not compared */
#define CHANGE_FLAGS	      31U

struct change {
	enum change_kind kind;
	enum subject subject;
	unsigned int flags;
	uint64_t start; /* CHANGE_TASK: when it began, in ticks since boot: its number may be another's later */
	char *path;
	char *old;
	char *new;
	char *detail; /* for people: an interrupt's device, a task's name; "": nothing. Printable */
};

struct changes {
	struct change *list;
	size_t count;
	size_t room;
};

/* change.c. Take @change's texts, whatever the result. -ENOMEM or -EINVAL (a text that is NULL), reported. */
int changes_add(struct changes *changes, const struct change *change);
void changes_free(struct changes *changes);

/* The value now, malloced, in the kind's one form; NULL with errno (ESRCH, ENOENT, ENODEV: what had it is gone). */
char *change_read(const struct change *change);

/* Make it @value. 0 or negative errno; reports nothing. */
int change_write(const struct change *change, const char *value);

/* What a subject is called, and why it is changed. */
const char *subject_name(enum subject subject);
const char *subject_why(enum subject subject);

#endif
