/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_NOISE_INTERNAL_H
#define PINNING_NOISE_INTERNAL_H

#include "pinning/noise/noise.h"

struct noise_key {
	enum noise_kind kind;
	const char *name; /* "" where there is an address instead */
	uint64_t address, callback;
};

/* sources.c: the source of that key, made if there is none; NULL, reported, without memory. */
int noise_make(struct noise *noise, const unsigned int *cores, unsigned int ncores);
struct noise_source *noise_source(struct noise *noise, const struct noise_key *key);
void noise_add(struct noise_source *source, unsigned int place, int64_t ns); /* @ns -1: how long isn't known */
void noise_miss(struct noise *noise, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void noise_finish(struct noise *noise); /* those of one name become one, those without a count go, and sort */

/*
 * counters.c: a table of the kernel's with a column for each online core, for the cores that matter: /proc/interrupts,
 * /proc/softirqs.
 */
struct counter_row {
	char name[NOISE_NAME_MAX]; /* "LOC", "24" */
	char what[NOISE_WHAT_MAX];
	uint64_t *counts; /* one a core */
};

struct counter_table {
	unsigned int ncores;
	size_t count;
	struct counter_row *rows;
};

/* 0, -EPROTO (no such table; not reported), -ENOMEM (reported). */
int counters_parse(const char *text, const unsigned int *cores, unsigned int ncores, struct counter_table *table);
void counters_free(struct counter_table *table);

/* What came to be between two tables, as counted sources. @softirqs: that is what they count. */
int counters_compare(struct noise *noise, const struct counter_table *before, const struct counter_table *after,
		     bool softirqs);

/* Both tables, as they are now. */
struct counters {
	struct counter_table interrupts, softirqs;
};
int counters_look(struct noise *noise, struct counters *counters);
void counters_release(struct counters *counters);

/*
 * events.c: the tracepoints, and what a record of theirs means. A point is done when it is seen; the others have a
 * beginning and an end.
 */
enum event_act { EVENT_POINT, EVENT_BEGIN, EVENT_END, EVENT_SWITCH, EVENT_SENT, EVENT_SENT_MANY };

#define EVENT_VALUES 3
#define COMM_MAX     16 /* bytes: TASK_COMM_LEN */

struct event_kind {
	const char *path; /* under tracefs' events */
	enum event_act act;
	enum noise_kind kind;
	const char *name;		  /* fixed; NULL: it is in the record */
	const char *fields[EVENT_VALUES]; /* of the record, in the order that core_take expects */
	const char *loss;		  /* what can't be known without it; NULL: said by another row */
};

extern const struct event_kind event_kinds[];
extern const size_t event_kinds_count;

/* One record, decoded. */
struct event {
	const struct event_kind *kind;
	int64_t at;
	pid_t pid; /* whose context it was in */
	uint64_t values[EVENT_VALUES];
	const uint8_t *bytes[EVENT_VALUES]; /* fields that are longer than a number, and their lengths */
	size_t sizes[EVENT_VALUES];
};

/*
 * How the fields of @kind's records lie in them, from the tracepoint's own description @text, and its number. -ENOENT
 * if a field isn't there. Reports nothing.
 */
struct event_layout {
	const struct event_kind *kind;
	uint64_t id;
	struct {
		size_t offset, size;
		bool indirect; /* __data_loc: length << 16 | offset */
	} fields[EVENT_VALUES];
};
int event_layout_parse(const struct event_kind *kind, const char *text, struct event_layout *layout);

/* A sample with PERF_SAMPLE_TID, _TIME and _RAW; @event points into it. False: it is none of @layouts. */
bool event_decode(const struct event_layout *layouts, size_t count, const uint8_t *bytes, size_t size,
		  struct event *event);

/* core.c: what is going on on one core, from its records in their order. */
#define OPEN_MAX 16

struct core_state {
	unsigned int place; /* among the measured */
	unsigned int depth;
	struct open_event {
		enum noise_kind kind;
		uint64_t address;
		char name[NOISE_NAME_MAX];
		int64_t since;
	} open[OPEN_MAX];
	int64_t running_since;
	char running[COMM_MAX + 1]; /* "": no switch was seen yet */
};

/* What began in [@start, @end) counts. */
struct span {
	int64_t start, end; /* ns, CLOCK_MONOTONIC */
};

typedef const char *noise_exit_name_fn(uint32_t isa, uint32_t reason, bool *host);

int core_take(struct noise *noise, noise_exit_name_fn *exit_name, const struct span *span, struct core_state *core,
	      const struct event *event);

/* The span is over. */
int core_finish(struct noise *noise, const struct span *span, struct core_state *core);

/* An interrupt that some core sent to measured ones; @comm is the sender's name. */
int sender_take(struct noise *noise, const struct span *span, const struct event *event, const char *comm);

/* owners.c: the thread that had a core for longest owns it, and is no noise; nor is an idle core. */
void owners_find(struct noise *noise);

/*
 * rings.c: perf events on cores, and their records. NULL: there can't be any, which @noise says then. Close only after
 * the span.
 */
struct rings;
struct rings *rings_open(struct noise *noise);
int rings_read(struct rings *rings, struct noise *noise, const struct noise_request *request, const struct span *span);
int rings_finish(struct rings *rings, struct noise *noise, const struct span *span);
void rings_close(struct rings *rings);

/* text.c: all of a file of the kernel's as a string, the caller's to free. Negative errno, reported. */
int kernel_text(const char *path, char **text);

/* symbols.c: names for the functions' addresses, and "at ADDRESS" where the kernel doesn't tell. */
void symbols_name(struct noise *noise);

#endif
