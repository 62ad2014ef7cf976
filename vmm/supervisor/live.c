// SPDX-License-Identifier: GPL-2.0-only
/* What is said of a running VM beside its counters. */
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/util.h"
#include "pinning/resctrl/resctrl.h"
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

json_t *memory_traffic_json(const struct vm *vm)
{
	char group[GROUP_PATH_MAX];
	uint64_t bytes;
	int root = open("/sys/fs/resctrl", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (root < 0)
		return json_null();
	snprintf(group, sizeof(group), "nohype-%s", vm->cfg->name);
	err = group_traffic(root, group, &bytes);
	fd_close(&root);
	return err ? json_null() : json_integer((json_int_t)bytes);
}
