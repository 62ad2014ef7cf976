/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_NOISE_NOISE_H
#define PINNING_NOISE_NOISE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * What the host interrupts cores for: /proc/interrupts and /proc/softirqs before and after, and between the two the
 * kernel's tracepoints, which know causes and durations.
 *
 * Counting disturbs nobody. Tracing does, before and after the span that is measured: switching a tracepoint on or off
 * patches code, for which the kernel interrupts every core of the host (arch/x86/kernel/alternative.c,
 * smp_text_poke_batch_finish() or text_poke_bp_batch()), and opening or closing an event on a core interrupts that core
 * (kernel/events/core.c, perf_install_in_context()). In the span itself records are read from memory that the kernel
 * shares, which interrupts none.
 */
#define NOISE_NAME_MAX 64
#define NOISE_WHAT_MAX 64

enum noise_kind {
	/* what takes the core from its work */
	NOISE_LINE,   /* a device's interrupt line; named by its number */
	NOISE_VECTOR, /* the processor's own, as /proc/interrupts names them: LOC, RES, CAL, NMI... */
	NOISE_SOFTIRQ,
	NOISE_THREAD,
	NOISE_EXIT,	  /* a guest was left because of the host, until it was entered again */
	NOISE_GUEST_EXIT, /* a guest's own doing: no noise, but shown */
	/* why: these happen in the ones above */
	NOISE_HRTIMER,
	NOISE_TIMER,
	NOISE_CALL, /* a function that another core asked this one to call */
	NOISE_WORK,
	NOISE_CALL_SENDER,	 /* who sent the interrupt, from where */
	NOISE_RESCHEDULE_SENDER, /* the same */
	NOISE_IRQ_WORK,		 /* which function, and who put it off */
	NOISE_KINDS,
};

struct noise_count {
	uint64_t count;
	int64_t longest_ns, total_ns; /* -1: not known */
};

struct noise_source {
	enum noise_kind kind;
	uint64_t address;  /* a kernel function's, until it has a name */
	uint64_t callback; /* the same, of a sender: what is to be called */
	char name[NOISE_NAME_MAX];
	char what[NOISE_WHAT_MAX];  /* as the kernel describes it; "" if it doesn't */
	bool counted;		    /* by the kernel's own counter; the tracepoints' count is not used then */
	struct noise_count *counts; /* one a core */
};

#define NOISE_MISSING_MAX 160
struct noise {
	unsigned int ncores;
	unsigned int *cores;
	char (*owners)[NOISE_WHAT_MAX]; /* one a core: which thread had it most of the time; "" if that isn't known */
	int64_t ns;			/* the span */
	bool traced, counted;
	uint64_t lost; /* records that the rings had no room for */
	struct noise_source *sources;
	size_t nsources, room;
	char (*missing)[NOISE_MISSING_MAX]; /* what could not be had, and why */
	size_t nmissing;
};

struct noise_request {
	const unsigned int *cores;
	unsigned int ncores;
	int64_t ns;
	bool counters_only; /* no tracepoints: disturbs nobody */
	/* An exit reason's name; *@host: it is the host's doing. NULL: by number, all the host's. */
	const char *(*exit_name)(uint32_t isa, uint32_t reason, bool *host);
	/* Called some ten times a second; false ends the measurement there. */
	bool (*progress)(void *ctx, int64_t done_ns, int64_t ns);
	/* Called where the span begins and where it ends, tracepoints on both times. NULL: nobody cares. */
	void (*edge)(void *ctx, bool end);
	void *ctx;
};

/*
 * Measure. What could be had is in @noise, sorted, for the caller to free with noise_free in any case. -ENODEV: a core
 * is not online; -ENODATA: nothing could be measured; both and other errors reported.
 */
int noise_measure(const struct noise_request *request, struct noise *noise);
void noise_free(struct noise *noise);

/* Is it one of those that take the core from its work? */
bool noise_interrupts(enum noise_kind kind);

/* The word for a kind, in JSON and in the table. */
const char *noise_kind_name(enum noise_kind kind);

/* Over all cores. */
struct noise_count noise_sum(const struct noise *noise, const struct noise_source *source);

/* cures.c: what causes a source and what stops it; NULL if we don't know. */
struct noise_cure {
	enum noise_kind kind;
	const char *name; /* with a * at its end: a beginning */
	const char *cause;
	const char *cure;
};
extern const struct noise_cure noise_cures[]; /* ends without a cause */
const struct noise_cure *noise_cure_find(enum noise_kind kind, const char *name);

/* print.c, json.c: the caller's to decref, or NULL. */
void noise_print(const struct noise *noise, FILE *out);
json_t *noise_json(const struct noise *noise);

#endif
