// SPDX-License-Identifier: GPL-2.0-only
/* `nohype start`: a VM that nohyped knows, or that of a file, which it is given first. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/api.h"
#include "vmm/cli/manager.h"

/* nohyped knows no folder that a path could be relative to. False: no memory. */
static bool path_complete(json_t *json, const char *key, const char *folder)
{
	const char *path = json_string_value(json_object_get(json, key));
	char *whole = NULL;
	bool done;

	if (!path || *path == '/')
		return true;
	done = asprintf(&whole, "%s/%s", folder, path) >= 0 && !json_object_set_new(json, key, json_string(whole));
	free(whole);
	return done;
}

/* Those of disks and of NVMe namespaces, in @list each the value of @kind; "save" may be a word instead. */
static bool disk_paths_complete(const json_t *list, const char *kind, const char *folder)
{
	size_t i;
	json_t *entry;

	json_array_foreach (list, i, entry) {
		json_t *disk = json_object_get(entry, kind);
		const char *save = json_string_value(json_object_get(disk, "save"));
		bool is_path = save && strcmp(save, "never") != 0 && strcmp(save, "on-stop") != 0;

		if (!path_complete(disk, "image", folder) || (is_path && !path_complete(disk, "save", folder)))
			return false;
	}
	return true;
}

static bool paths_complete(json_t *json, const char *folder)
{
	return path_complete(json, "kernel", folder) && path_complete(json, "initrd", folder) &&
	       path_complete(json, "report", folder) &&
	       disk_paths_complete(json_object_get(json, "disks"), "pmem", folder) &&
	       disk_paths_complete(json_object_get(json, "functions"), "nvme", folder);
}

/* The configuration in @file as nohyped wants it, malloced; NULL, reported. */
static char *file_complete(const char *file, char name[VM_NAME_MAX + 1])
{
	char folder[PATH_MAX], *slash, *text = NULL;
	struct vm_config cfg;
	json_t *json;
	int err;

	config_init(&cfg);
	err = config_read(&cfg, file);
	err = err ? err : config_finish(&cfg, file);
	snprintf(name, VM_NAME_MAX + 1, "%s", cfg.name ? cfg.name : "");
	config_free(&cfg);
	if (err)
		return NULL;
	json = json_load_file(file, 0, NULL);
	slash = realpath(file, folder) ? strrchr(folder, '/') : NULL;
	if (slash)
		*slash = '\0';
	if (slash && paths_complete(json, folder))
		text = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(json);
	if (!text)
		fail(-ENOMEM, "%s: its paths can't be made absolute", file);
	return text;
}

/* Stores the configuration of @file; its VM's name is put into @name. */
static int file_put(const char *file, char name[VM_NAME_MAX + 1])
{
	char path[256], *text = file_complete(file, name);
	json_t *answer;
	int status;

	if (!text)
		return EXIT_USAGE;
	snprintf(path, sizeof(path), "/v1/vms/%s", name);
	status = api_ask("PUT", path, text, strlen(text), &answer);
	json_decref(answer);
	free(text);
	return exit_of(status);
}

static bool is_file(const char *operand)
{
	size_t len = operand ? strlen(operand) : 0;

	return len > 0 && (strchr(operand, '/') || (len > 5 && strcmp(operand + len - 5, ".json") == 0));
}

static int start_wait(const char *name, const struct wishes *wishes, json_t **vm)
{
	json_t *last;
	int code = vm_await(name, *vm, AWAIT_SEALED, wishes->timeout, &last);

	json_decref(*vm);
	*vm = last;
	return code;
}

int start_main(const struct command *cmd, int argc, char **argv)
{
	char path[VM_PATH_MAX], stored[VM_NAME_MAX + 1] = "";
	struct wishes wishes;
	const char *name;
	json_t *vm = NULL;
	int code;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (wishes_parse(&wishes, cmd, argc, argv))
		return EXIT_USAGE;
	code = is_file(wishes.operand) ? file_put(wishes.operand, stored) : EXIT_CLEAN;
	name = *stored ? stored : wishes.operand;
	if (!code)
		code = vm_path(cmd, name, "/start", path);
	if (!code)
		code = exit_of(api_ask("POST", path, "", 0, &vm));
	if (!code && wishes.wait)
		code = start_wait(name, &wishes, &vm);
	if (vm && wishes.json)
		json_print(vm);
	json_decref(vm);
	return code;
}
