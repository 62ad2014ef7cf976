// SPDX-License-Identifier: GPL-2.0-only
/* What a report says of a VM's disks and functions. */
#include <string.h>

#include "base/escape.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

/* A folder's name may be no UTF-8. NULL: there is none. */
static json_t *path_json(const char *path)
{
	json_t *json = path ? json_string(path) : json_null();
	char text[512];

	if (json || !path)
		return json;
	escape_text(text, sizeof(text), path, strlen(path));
	return json_string(text);
}

/* What was written, and how; null: it was not saved. */
static json_t *saved_json(const struct disk_config *disk, const struct disk_told *told)
{
	if (told->end != DISK_SAVED)
		return json_null();
	return json_pack("{s:o, s:I, s:b, s:f}", "to",
			 path_json(disk->save == DISK_SAVE_PATH ? disk->save_path : disk->image), "written_bytes",
			 (json_int_t)told->saved.written, "changes_only", (int)told->saved.is_clone, "seconds",
			 (double)told->save_ns / 1e9);
}

static const char *const ends[] = {
	[DISK_KEPT] = "not asked",
	[DISK_NOT_CLEAN] = "no clean end",
	[DISK_SAVED] = "saved",
	[DISK_LOST] = "lost",
};

static json_t *namespace_json(const struct vm *vm, unsigned int nth)
{
	const struct disk_config *disk = &vm->cfg->namespaces[nth];
	const struct vm_namespace *ours = &vm->namespaces[nth];
	enum disk_format format = disk->image ? ours->told.format : DISK_RAW;

	return json_pack("{s:o, s:s, s:s?, s:s, s:I, s:f, s:s, s:o}", "image", path_json(disk->image), "controller",
			 vm->plan.functions.list[nth].address, "cleared", ours->cleared, "format",
			 disk_format_name(format), "bytes", (json_int_t)ours->bytes, "load_seconds",
			 (double)ours->told.load_ns / 1e9, "save", ends[ours->told.end], "saved",
			 saved_json(disk, &ours->told));
}

json_t *disks_json(const struct vm *vm)
{
	json_t *disks = json_array();

	for (unsigned int i = 0; i < vm->cfg->ndisks; i++) {
		const struct disk_config *disk = &vm->cfg->disks[i];
		const struct disk_told *told = &vm->disks_told[i];

		json_array_append_new(disks, json_pack("{s:o, s:s, s:I, s:f, s:s, s:o}", "image",
						       path_json(disk->image), "format", disk_format_name(told->format),
						       "bytes", (json_int_t)layout_disk(&vm->plan.layout, i)->size,
						       "load_seconds", (double)told->load_ns / 1e9, "save",
						       ends[told->end], "saved", saved_json(disk, told)));
	}
	for (unsigned int i = 0; i < vm->plan.functions.count; i++)
		if (vm->cfg->functions[i].kind == FUNCTION_NVME)
			json_array_append_new(disks, namespace_json(vm, i));
	return disks;
}

/* What its card says that it is told; null: nobody tells it anything, or it can't be read. */
static json_t *settings_json(const struct function *function)
{
	struct vf_settings found;
	char mac[18];

	if (function_settings(function, &found, mac))
		return json_null();
	return json_pack("{s:s, s:i, s:i, s:b, s:b}", "mac", mac, "vlan", (int)found.vlan, "rate_mbit", (int)found.rate,
			 "spoof_check", (int)found.spoof_check, "trust", (int)found.trust);
}

json_t *functions_json(const struct vm *vm)
{
	const struct functions *functions = &vm->plan.functions;
	json_t *list = json_array();

	for (unsigned int i = 0; i < functions->count; i++) {
		const struct function *function = &functions->list[i];
		char text[FUNCTION_TEXT_MAX];
		bool held = function_evidence(function, text);

		json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:o, s:b, s:s}", "address", function->address,
						      "card", function->pf[0] ? json_string(function->pf) : json_null(),
						      "vectors", (int)function->table.msix.vectors, "settings",
						      settings_json(function), "held", (int)held, "evidence", text));
	}
	return list;
}
