// SPDX-License-Identifier: GPL-2.0-only
/* What is said of a running VM beside its counters. */
#include "base/util.h"
#include "vmm/supervisor/internal.h"

static void reason_add(json_t *json, const char *name, uint64_t count)
{
	json_int_t before = json_integer_value(json_object_get(json, name));

	if (count)
		json_object_set_new(json, name, json_integer(before + (json_int_t)count));
}

static void log_add(json_t *json, const struct exit_log *log)
{
	size_t named = MIN(log->vendor->count, (size_t)REASONS_MAX);

	for (size_t i = 0; i < named; i++)
		reason_add(json, log->vendor->reasons[i].name, log->since_mark[i].count);
	for (size_t i = named; i <= REASONS_MAX; i++)
		reason_add(json, "other", log->since_mark[i].count);
	reason_add(json, "not told apart", log->lost);
}

json_t *reasons_live_json(struct vm *vm)
{
	json_t *json;

	if (!vm->seal.marked || !vm->seal.count || !vm->seal.vcpus[0].log)
		return json_null();
	ledger_read(vm);
	json = json_object();
	for (unsigned int i = 0; i < vm->seal.count; i++)
		if (vm->seal.vcpus[i].log)
			log_add(json, vm->seal.vcpus[i].log);
	return json;
}

json_t *heartbeat_json(const struct vm *vm)
{
	if (!vm->cfg->beat_every)
		return json_null();
	return json_string(vm->rings.silent ? "silent" : vm->rings.beats ? "beats" : "not yet");
}

json_t *memory_traffic_json(const json_t *cache)
{
	const json_t *caches = json_object_get(cache, "l3"), *one;
	json_int_t bytes = 0;
	size_t i;

	json_array_foreach (caches, i, one) {
		const json_t *total = json_object_get(one, "total_bytes");

		if (!json_is_integer(total))
			return json_null();
		bytes += json_integer_value(total);
	}
	return json_array_size(caches) ? json_integer(bytes) : json_null();
}
