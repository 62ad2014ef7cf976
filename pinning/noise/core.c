// SPDX-License-Identifier: GPL-2.0-only
/* From the records of a core, in their order, what interrupted it, for how long and why. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "pinning/noise/internal.h"

/* include/linux/interrupt.h, and named as in /proc/softirqs */
static const char *const softirqs[] = { "HI",	    "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
					"IRQ_POLL", "TASKLET", "SCHED",	 "HRTIMER", "RCU" };

static bool in_span(const struct span *span, int64_t at)
{
	return at >= span->start && at < span->end;
}

static int count(struct noise *noise, unsigned int place, const struct noise_key *key, int64_t ns)
{
	struct noise_source *source = noise_source(noise, key);

	if (!source)
		return -ENOMEM;
	noise_add(source, place, ns);
	return 0;
}

static void exit_describe(noise_exit_name_fn *exit_name, const struct event *event, struct open_event *open)
{
	bool host = true;
	const char *name = exit_name ? exit_name((uint32_t)event->values[1], (uint32_t)event->values[0], &host) : NULL;

	open->kind = host ? NOISE_EXIT : NOISE_GUEST_EXIT;
	if (name)
		snprintf(open->name, sizeof(open->name), "%s", name);
	else
		snprintf(open->name, sizeof(open->name), "exit 0x%" PRIx64, event->values[0]);
}

/* What a record is about: functions by their address, which gets a name at the end. */
static void describe(noise_exit_name_fn *exit_name, const struct event *event, struct open_event *open)
{
	*open = (struct open_event){ .kind = event->kind->kind, .since = event->at };
	if (event->kind->name)
		snprintf(open->name, sizeof(open->name), "%s", event->kind->name);
	else if (open->kind == NOISE_EXIT)
		exit_describe(exit_name, event, open);
	else if (open->kind == NOISE_SOFTIRQ && event->values[0] < ARRAY_SIZE(softirqs))
		snprintf(open->name, sizeof(open->name), "%s", softirqs[event->values[0]]);
	else if (open->kind == NOISE_SOFTIRQ || open->kind == NOISE_LINE)
		snprintf(open->name, sizeof(open->name), "%" PRIu64, event->values[0]);
	else
		open->address = event->values[0];
}

/* A record that was lost leaves one open for ever: the oldest goes. */
static void begin(struct core_state *core, const struct open_event *open)
{
	if (core->depth == OPEN_MAX) {
		memmove(core->open, core->open + 1, (OPEN_MAX - 1) * sizeof(core->open[0]));
		core->depth--;
	}
	core->open[core->depth++] = *open;
}

static bool ends(const struct event_kind *kind, const struct open_event *open)
{
	if (kind->kind == NOISE_EXIT)
		return open->kind == NOISE_EXIT || open->kind == NOISE_GUEST_EXIT;
	return kind->kind == open->kind && (!kind->name || strcmp(kind->name, open->name) == 0);
}

/* The innermost of its kind; a thread switch inside of one (work, an exit) is no reason to close that. */
static int end(struct noise *noise, const struct span *span, struct core_state *core, const struct event *event)
{
	for (unsigned int i = core->depth; i-- > 0;) {
		struct open_event open = core->open[i];
		struct noise_key key = { .kind = open.kind, .name = open.name, .address = open.address };

		if (!ends(event->kind, &open))
			continue;
		memmove(&core->open[i], &core->open[i + 1], (core->depth - i - 1) * sizeof(core->open[0]));
		core->depth--;
		if (!in_span(span, open.since))
			return 0;
		return count(noise, core->place, &key, event->at - open.since);
	}
	return 0;
}

/* "ksoftirqd/2" and "kworker/2:1" on core 2 are "ksoftirqd/N" and "kworker/N"; "swapper/2" is idle. */
static void thread_name(unsigned int core, const char *comm, char *name, size_t size)
{
	char number[16];
	size_t len = (size_t)snprintf(number, sizeof(number), "/%u", core);
	const char *at = strstr(comm, number);

	if (strncmp(comm, "swapper/", strlen("swapper/")) == 0)
		snprintf(name, size, "idle");
	else if (at && (at[len] == '\0' || at[len] == ':'))
		snprintf(name, size, "%.*s/N", (int)(at - comm), comm);
	else if (strncmp(comm, "kworker/u", strlen("kworker/u")) == 0)
		snprintf(name, size, "kworker/u");
	else
		snprintf(name, size, "%s", comm);
}

/* @comm ran until @at, since the last switch or, if there was none, since before the span. */
static int thread_end(struct noise *noise, const struct span *span, const struct core_state *core, const char *comm,
		      int64_t at)
{
	int64_t since = MAX(core->running_since, span->start);
	char name[NOISE_NAME_MAX];
	struct noise_key key = { .kind = NOISE_THREAD, .name = name };

	if (at <= since)
		return 0;
	thread_name(noise->cores[core->place], comm, name, sizeof(name));
	return count(noise, core->place, &key, at - since);
}

static void comm_copy(char *comm, const struct event *event, size_t field)
{
	size_t size = MIN(event->sizes[field], (size_t)COMM_MAX);

	memcpy(comm, event->bytes[field], size);
	comm[size] = '\0';
}

static int thread_switch(struct noise *noise, const struct span *span, struct core_state *core,
			 const struct event *event)
{
	char from[COMM_MAX + 1];
	int err;

	comm_copy(from, event, 0);
	err = thread_end(noise, span, core, from, event->at);
	comm_copy(core->running, event, 1);
	core->running_since = event->at;
	return err;
}

int core_take(struct noise *noise, noise_exit_name_fn *exit_name, const struct span *span, struct core_state *core,
	      const struct event *event)
{
	struct noise_key point = { .kind = event->kind->kind, .name = event->kind->name };
	struct open_event open;

	if (event->at >= span->end)
		return 0;
	switch (event->kind->act) {
	case EVENT_BEGIN:
		describe(exit_name, event, &open);
		begin(core, &open);
		return 0;
	case EVENT_END:
		return end(noise, span, core, event);
	case EVENT_SWITCH:
		return thread_switch(noise, span, core, event);
	case EVENT_POINT:
		if (!in_span(span, event->at))
			return 0;
		return count(noise, core->place, &point, (int64_t)event->values[0]);
	default:
		return 0;
	}
}

int core_finish(struct noise *noise, const struct span *span, struct core_state *core)
{
	if (!core->running[0])
		return 0;
	return thread_end(noise, span, core, core->running, span->end);
}

static bool sent_to(const struct event *event, unsigned int core)
{
	if (event->kind->act == EVENT_SENT)
		return event->values[2] == core;
	return core / 8 < event->sizes[2] && event->bytes[2][core / 8] >> core % 8 & 1;
}

/* Without a callback it is a reschedule interrupt (include/linux/smp.h, smp_send_reschedule()). */
int sender_take(struct noise *noise, const struct span *span, const struct event *event, const char *comm)
{
	struct noise_key key = { .kind = event->values[1] ? NOISE_CALL_SENDER : NOISE_RESCHEDULE_SENDER,
				 .name = comm,
				 .address = event->values[0],
				 .callback = event->values[1] };
	int err = 0;

	if (!in_span(span, event->at))
		return 0;
	for (unsigned int i = 0; !err && i < noise->ncores; i++)
		if (sent_to(event, noise->cores[i]))
			err = count(noise, i, &key, -1);
	return err;
}
