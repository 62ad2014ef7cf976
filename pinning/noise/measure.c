// SPDX-License-Identifier: GPL-2.0-only
/* The measurement, in order. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/noise/internal.h"
#include "pinning/pinning.h"

#define SETTLE	1000000000 /* ns: what switching the tracepoints on leaves to be done, on any core, is done by then */
#define LOOK_NS 100000000

static bool list_has(const char *list, unsigned int core)
{
	unsigned long first, last;

	while (cpu_list_next(&list, &first, &last))
		if (core >= first && core <= last)
			return true;
	return false;
}

static int cores_check(const struct noise_request *request)
{
	char *online;
	int err = kernel_text(CPU_ONLINE, &online);

	if (err)
		return err;
	online[strcspn(online, "\n")] = '\0';
	for (unsigned int i = 0; !err && i < request->ncores; i++)
		if (!list_has(online, request->cores[i]))
			err = fail(-ENODEV, "cores: %u: no such core is online on this host (it has %s)",
				   request->cores[i], online);
	free(online);
	return err;
}

/* This process is on none of the cores that it looks at, where there is another. */
static void elsewhere(const struct noise_request *request, struct noise *noise)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (unsigned int i = 0; i < request->ncores; i++)
		if (request->cores[i] < CPU_SETSIZE)
			CPU_CLR(request->cores[i], &set);
	if (!CPU_COUNT(&set) || sched_setaffinity(0, sizeof(set), &set))
		noise_miss(noise, "this measurement runs on the cores that it measures: there is no other for it");
}

static void wait_ns(int64_t ns)
{
	struct timespec time = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	nanosleep(&time, NULL); /* a signal may end it early */
}

/* Until the span is over or someone has enough. */
static int span_pass(const struct noise_request *request, struct noise *noise, struct rings *rings, struct span *span)
{
	int64_t now = clock_now();
	int err = 0;

	while (!err && now < span->start + request->ns) {
		if (request->progress && !request->progress(request->ctx, now - span->start, request->ns))
			break;
		wait_ns(MIN(LOOK_NS, span->start + request->ns - now));
		if (rings)
			err = rings_read(rings, noise, request, span);
		now = clock_now();
	}
	return err;
}

static int settle(const struct noise_request *request, struct noise *noise, struct rings *rings)
{
	const struct span none = { INT64_MAX, INT64_MAX };
	int64_t until = clock_now() + SETTLE;
	int err = 0;

	while (!err && rings && clock_now() < until) {
		wait_ns(LOOK_NS);
		err = rings_read(rings, noise, request, &none);
	}
	return err;
}

static int counters_take(struct noise *noise, const struct counters *before, const struct counters *after)
{
	int err = counters_compare(noise, &before->interrupts, &after->interrupts, false);

	return err ? err : counters_compare(noise, &before->softirqs, &after->softirqs, true);
}

static void edge(const struct noise_request *request, bool end)
{
	if (request->edge)
		request->edge(request->ctx, end);
}

static int trace(const struct noise_request *request, struct noise *noise, struct rings *rings)
{
	struct counters before = { 0 }, after = { 0 };
	struct span span = { .end = INT64_MAX };
	int err = settle(request, noise, rings);

	edge(request, false);
	span.start = clock_now();
	noise->counted = !err && !counters_look(noise, &before);
	if (!err)
		err = span_pass(request, noise, rings, &span);
	if (!err && noise->counted)
		noise->counted = !counters_look(noise, &after);
	span.end = clock_now();
	edge(request, true);
	noise->ns = span.end - span.start;
	if (!err && rings)
		err = rings_read(rings, noise, request, &span);
	if (!err && rings)
		err = rings_finish(rings, noise, &span);
	if (!err && noise->counted)
		err = counters_take(noise, &before, &after);
	counters_release(&before);
	counters_release(&after);
	return err;
}

int noise_measure(const struct noise_request *request, struct noise *noise)
{
	struct rings *rings = NULL;
	int err = noise_make(noise, request->cores, request->ncores);

	if (!err)
		err = cores_check(request);
	if (err)
		return err;
	elsewhere(request, noise);
	if (!request->counters_only)
		rings = rings_open(noise);
	noise->traced = rings;
	err = trace(request, noise, rings);
	rings_close(rings);
	if (err)
		return err;
	owners_find(noise);
	symbols_name(noise);
	noise_finish(noise);
	return noise->traced || noise->counted ? 0 : fail(-ENODATA, "neither counters nor tracepoints can be read");
}
