// SPDX-License-Identifier: GPL-2.0-only
/* The sources of interruptions that were seen, and their counts. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "pinning/noise/internal.h"

#define SOURCES_STEP 64

static const struct {
	const char *name;
	bool interrupts;
} kinds[NOISE_KINDS] = {
	[NOISE_LINE] = { "irq", true },
	[NOISE_VECTOR] = { "vector", true },
	[NOISE_SOFTIRQ] = { "softirq", true },
	[NOISE_THREAD] = { "thread", true },
	[NOISE_EXIT] = { "exit", true },
	[NOISE_GUEST_EXIT] = { "guest-exit", false },
	[NOISE_HRTIMER] = { "hrtimer", false },
	[NOISE_TIMER] = { "timer", false },
	[NOISE_CALL] = { "call", false },
	[NOISE_WORK] = { "work", false },
	[NOISE_CALL_SENDER] = { "call-sender", false },
	[NOISE_RESCHEDULE_SENDER] = { "reschedule-sender", false },
	[NOISE_IRQ_WORK] = { "irq-work", false },
};

const char *noise_kind_name(enum noise_kind kind)
{
	return kinds[kind].name;
}

bool noise_interrupts(enum noise_kind kind)
{
	return kinds[kind].interrupts;
}

int noise_make(struct noise *noise, const unsigned int *cores, unsigned int ncores)
{
	*noise = (struct noise){ .ncores = ncores };
	noise->cores = calloc(ncores, sizeof(*noise->cores));
	noise->owners = calloc(ncores, sizeof(*noise->owners));
	if (!noise->cores || !noise->owners)
		return fail(-ENOMEM, "no memory for %u cores", ncores);
	memcpy(noise->cores, cores, ncores * sizeof(*cores));
	return 0;
}

void noise_free(struct noise *noise)
{
	for (size_t i = 0; i < noise->nsources; i++)
		free(noise->sources[i].counts);
	free(noise->sources);
	free(noise->missing);
	free(noise->owners);
	free(noise->cores);
	*noise = (struct noise){ 0 };
}

static struct noise_source *source_find(const struct noise *noise, const struct noise_key *key)
{
	for (size_t i = 0; i < noise->nsources; i++) {
		struct noise_source *source = &noise->sources[i];

		if (source->kind == key->kind && source->address == key->address && source->callback == key->callback &&
		    strcmp(source->name, key->name) == 0)
			return source;
	}
	return NULL;
}

static int sources_grow(struct noise *noise)
{
	size_t room = noise->room + SOURCES_STEP;
	struct noise_source *sources;

	if (noise->nsources < noise->room)
		return 0;
	sources = reallocarray(noise->sources, room, sizeof(*sources));
	if (!sources)
		return fail(-ENOMEM, "no memory for %zu sources of interruptions", room);
	noise->sources = sources;
	noise->room = room;
	return 0;
}

struct noise_source *noise_source(struct noise *noise, const struct noise_key *key)
{
	struct noise_source *source = source_find(noise, key);

	if (source)
		return source;
	if (sources_grow(noise))
		return NULL;
	source = &noise->sources[noise->nsources];
	*source = (struct noise_source){ .kind = key->kind, .address = key->address, .callback = key->callback };
	snprintf(source->name, sizeof(source->name), "%s", key->name);
	source->counts = calloc(noise->ncores, sizeof(*source->counts));
	if (!source->counts) {
		fail(-ENOMEM, "no memory for the counts of %u cores", noise->ncores);
		return NULL;
	}
	for (unsigned int i = 0; i < noise->ncores; i++)
		source->counts[i].longest_ns = source->counts[i].total_ns = -1;
	noise->nsources++;
	return source;
}

static void time_add(struct noise_count *count, int64_t longest, int64_t total)
{
	if (longest < 0)
		return;
	count->longest_ns = MAX(count->longest_ns, longest);
	count->total_ns = MAX(count->total_ns, 0) + total;
}

void noise_add(struct noise_source *source, unsigned int place, int64_t ns)
{
	if (!source->counted)
		source->counts[place].count++;
	time_add(&source->counts[place], ns, ns);
}

struct noise_count noise_sum(const struct noise *noise, const struct noise_source *source)
{
	struct noise_count sum = { .longest_ns = -1, .total_ns = -1 };

	for (unsigned int i = 0; i < noise->ncores; i++) {
		sum.count += source->counts[i].count;
		time_add(&sum, source->counts[i].longest_ns, source->counts[i].total_ns);
	}
	return sum;
}

void noise_miss(struct noise *noise, const char *fmt, ...)
{
	void *missing = reallocarray(noise->missing, noise->nmissing + 1, sizeof(*noise->missing));
	va_list ap;

	if (!missing)
		return;
	noise->missing = missing;
	va_start(ap, fmt);
	vsnprintf(noise->missing[noise->nmissing++], sizeof(*noise->missing), fmt, ap);
	va_end(ap);
}

/* Two callers in one function are one source. */
static void source_join(const struct noise *noise, struct noise_source *to, struct noise_source *from)
{
	for (unsigned int i = 0; i < noise->ncores; i++) {
		to->counts[i].count += from->counts[i].count;
		time_add(&to->counts[i], from->counts[i].longest_ns, from->counts[i].total_ns);
	}
}

static bool source_keep(struct noise *noise, size_t kept, struct noise_source *source)
{
	if (!noise_sum(noise, source).count)
		return false;
	for (size_t i = 0; i < kept; i++) {
		if (noise->sources[i].kind != source->kind || strcmp(noise->sources[i].name, source->name) != 0)
			continue;
		source_join(noise, &noise->sources[i], source);
		return false;
	}
	return true;
}

struct rank {
	uint64_t sum;
	struct noise_source source;
};

static int rank_compare(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->sum != b->sum)
		return a->sum < b->sum ? 1 : -1;
	if (a->source.kind != b->source.kind)
		return a->source.kind < b->source.kind ? -1 : 1;
	return strcmp(a->source.name, b->source.name);
}

static void sources_sort(struct noise *noise)
{
	struct rank *ranks = calloc(noise->nsources + 1, sizeof(*ranks));

	if (!ranks)
		return; /* unsorted, then */
	for (size_t i = 0; i < noise->nsources; i++)
		ranks[i] = (struct rank){ noise_sum(noise, &noise->sources[i]).count, noise->sources[i] };
	qsort(ranks, noise->nsources, sizeof(*ranks), rank_compare);
	for (size_t i = 0; i < noise->nsources; i++)
		noise->sources[i] = ranks[i].source;
	free(ranks);
}

void noise_finish(struct noise *noise)
{
	size_t kept = 0;

	for (size_t i = 0; i < noise->nsources; i++) {
		struct noise_source source = noise->sources[i];

		if (source_keep(noise, kept, &source))
			noise->sources[kept++] = source;
		else
			free(source.counts);
	}
	noise->nsources = kept;
	sources_sort(noise);
}
