// SPDX-License-Identifier: GPL-2.0-only
/* The result for programs. */
#include <string.h>

#include "base/escape.h"
#include "pinning/noise/internal.h"

static json_t *time_json(int64_t ns)
{
	return ns < 0 ? json_null() : json_integer(ns);
}

/* A thread may have any bytes for a name. */
static json_t *text_json(const char *text)
{
	char escaped[NOISE_NAME_MAX * 4];

	return json_string(escape_text(escaped, sizeof(escaped), text, strlen(text)));
}

static json_t *count_json(const struct noise_count *count)
{
	return json_pack("{s:I, s:o, s:o}", "count", (json_int_t)count->count, "longest_ns",
			 time_json(count->longest_ns), "total_ns", time_json(count->total_ns));
}

static json_t *source_json(const struct noise *noise, const struct noise_source *source)
{
	const struct noise_cure *cure = noise_cure_find(source->kind, source->name);
	struct noise_count sum = noise_sum(noise, source);
	json_t *json = count_json(&sum), *cores = json_array();

	for (unsigned int i = 0; i < noise->ncores; i++) {
		json_t *core = count_json(&source->counts[i]);

		json_object_set_new(core, "core", json_integer(noise->cores[i]));
		json_array_append_new(cores, core);
	}
	json_object_set_new(json, "kind", json_string(noise_kind_name(source->kind)));
	json_object_set_new(json, "name", text_json(source->name));
	json_object_set_new(json, "what", text_json(source->what));
	json_object_set_new(json, "interrupts", json_boolean(noise_interrupts(source->kind)));
	json_object_set_new(json, "cause", cure ? json_string(cure->cause) : json_null());
	json_object_set_new(json, "cure", cure ? json_string(cure->cure) : json_null());
	json_object_set_new(json, "cores", cores);
	return json;
}

json_t *noise_json(const struct noise *noise)
{
	json_t *sources = json_array(), *missing = json_array(), *cores = json_array();

	for (size_t i = 0; i < noise->nsources; i++)
		json_array_append_new(sources, source_json(noise, &noise->sources[i]));
	for (size_t i = 0; i < noise->nmissing; i++)
		json_array_append_new(missing, json_string(noise->missing[i]));
	for (unsigned int i = 0; i < noise->ncores; i++)
		json_array_append_new(cores, json_pack("{s:i, s:o}", "core", (int)noise->cores[i], "runs",
						       text_json(noise->owners[i])));
	return json_pack("{s:I, s:b, s:b, s:I, s:o, s:o, s:o}", "ns", (json_int_t)noise->ns, "traced",
			 (int)noise->traced, "counted", (int)noise->counted, "lost", (json_int_t)noise->lost, "cores",
			 cores, "sources", sources, "missing", missing);
}
