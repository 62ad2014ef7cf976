// SPDX-License-Identifier: GPL-2.0-only
/* The result for people: what interrupted, under each what it was for, and what stops it. */
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/util.h"
#include "pinning/noise/internal.h"

#define COLUMNS_MAX 6 /* cores that have columns; of more there is the sum */
#define LABEL_WIDTH 46

static bool has_columns(const struct noise *noise)
{
	return noise->ncores > 1 && noise->ncores <= COLUMNS_MAX;
}

static void time_format(char *text, size_t size, int64_t ns)
{
	if (ns < 0)
		snprintf(text, size, "-");
	else if (ns < 10000000)
		snprintf(text, size, "%.1f us", (double)ns / 1e3);
	else
		snprintf(text, size, "%.1f ms", (double)ns / 1e6);
}

static void header_print(const struct noise *noise, FILE *out)
{
	char name[24];

	fprintf(out, "%-*s", LABEL_WIDTH, "Interrupted by");
	for (unsigned int i = 0; has_columns(noise) && i < noise->ncores; i++) {
		snprintf(name, sizeof(name), "core %u", noise->cores[i]);
		fprintf(out, " %9s", name);
	}
	fprintf(out, " %9s %11s\n", noise->ncores > 1 ? "sum" : "count", "longest");
}

static void label_make(char *label, size_t size, const struct noise_source *source, bool part)
{
	const char *indent = part ? "  " : "";
	char name[NOISE_NAME_MAX + 8], what[NOISE_WHAT_MAX + 8];

	escape_text(name, sizeof(name), source->name, strlen(source->name));
	escape_text(what, sizeof(what), source->what, strlen(source->what));
	if (source->what[0])
		snprintf(label, size, "%s%s %s: %s", indent, noise_kind_name(source->kind), name, what);
	else
		snprintf(label, size, "%s%s %s", indent, noise_kind_name(source->kind), name);
}

static void source_print(const struct noise *noise, const struct noise_source *source, bool part, FILE *out)
{
	char label[LABEL_WIDTH + 128], longest[24];
	struct noise_count sum = noise_sum(noise, source);

	label_make(label, sizeof(label), source, part);
	time_format(longest, sizeof(longest), sum.longest_ns);
	fprintf(out, "%-*s", LABEL_WIDTH, label);
	for (unsigned int i = 0; has_columns(noise) && i < noise->ncores; i++)
		fprintf(out, " %9" PRIu64, source->counts[i].count);
	fprintf(out, " %9" PRIu64 " %11s\n", sum.count, longest);
}

/* Where a cause is shown: under what it interrupts by. */
static bool is_part_of(const struct noise_source *part, const struct noise_source *whole)
{
	switch (part->kind) {
	case NOISE_HRTIMER:
		return whole->kind == NOISE_VECTOR && strcmp(whole->name, "LOC") == 0;
	case NOISE_CALL:
	case NOISE_CALL_SENDER:
		return whole->kind == NOISE_VECTOR && strcmp(whole->name, "CAL") == 0;
	case NOISE_IRQ_WORK:
		return whole->kind == NOISE_VECTOR && strcmp(whole->name, "IWI") == 0;
	case NOISE_RESCHEDULE_SENDER:
		return whole->kind == NOISE_VECTOR && strcmp(whole->name, "RES") == 0;
	case NOISE_TIMER:
		return whole->kind == NOISE_SOFTIRQ && strcmp(whole->name, "TIMER") == 0;
	case NOISE_WORK:
		return whole->kind == NOISE_THREAD && strncmp(whole->name, "kworker/", strlen("kworker/")) == 0;
	default:
		return false;
	}
}

static const struct noise_source *whole_find(const struct noise *noise, const struct noise_source *part)
{
	for (size_t i = 0; i < noise->nsources; i++)
		if (is_part_of(part, &noise->sources[i]))
			return &noise->sources[i];
	return NULL;
}

static void table_print(const struct noise *noise, FILE *out)
{
	for (size_t i = 0; i < noise->nsources; i++) {
		const struct noise_source *whole = &noise->sources[i];

		if (!noise_interrupts(whole->kind))
			continue;
		source_print(noise, whole, false, out);
		for (size_t j = 0; j < noise->nsources; j++)
			if (whole_find(noise, &noise->sources[j]) == whole)
				source_print(noise, &noise->sources[j], true, out);
	}
	/* what has no whole: it was in something that had begun before, or whose counter doesn't show it */
	for (size_t i = 0; i < noise->nsources; i++)
		if (!noise_interrupts(noise->sources[i].kind) && !whole_find(noise, &noise->sources[i]))
			source_print(noise, &noise->sources[i], false, out);
}

static void cures_print(const struct noise *noise, FILE *out)
{
	bool any = false;

	for (size_t i = 0; i < noise->nsources; i++) {
		const struct noise_source *source = &noise->sources[i];
		const struct noise_cure *cure = noise_cure_find(source->kind, source->name);
		char name[NOISE_NAME_MAX + 8];

		if (!cure)
			continue;
		escape_text(name, sizeof(name), source->name, strlen(source->name));
		fprintf(out, "%s%s %s: %s; stopped by: %s\n", any ? "" : "\n", noise_kind_name(source->kind), name,
			cure->cause, cure->cure);
		any = true;
	}
}

static void owners_print(const struct noise *noise, FILE *out)
{
	for (unsigned int i = 0; i < noise->ncores; i++) {
		char owner[NOISE_WHAT_MAX];

		escape_text(owner, sizeof(owner), noise->owners[i], strlen(noise->owners[i]));
		fprintf(out, "core %u: %s\n", noise->cores[i], owner[0] ? owner : "what runs there isn't known");
	}
}

void noise_print(const struct noise *noise, FILE *out)
{
	uint64_t all = 0;

	for (size_t i = 0; i < noise->nsources; i++)
		if (noise->sources[i].kind == NOISE_VECTOR || noise->sources[i].kind == NOISE_LINE)
			all += noise_sum(noise, &noise->sources[i]).count;
	owners_print(noise, out);
	fprintf(out, "%" PRIu64 " interrupts in %.1f s%s\n\n", all, (double)noise->ns / 1e9,
		noise->counted ? "" : ", those that have a tracepoint alone");
	if (noise->nsources) {
		header_print(noise, out);
		table_print(noise, out);
		cures_print(noise, out);
	} else {
		fprintf(out, "Interrupted by nothing that was looked at.\n");
	}
	if (noise->lost)
		fprintf(out, "\nnot seen: %" PRIu64 " records, for which there was no room\n", noise->lost);
	for (size_t i = 0; i < noise->nmissing; i++)
		fprintf(out, "%snot known: %s\n", i || noise->lost ? "" : "\n", noise->missing[i]);
}
