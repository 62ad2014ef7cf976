// SPDX-License-Identifier: GPL-2.0-only
/* list, show, start, delete: what goes through nohyped. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/text_file.h"
#include "vmm/cli/api.h"
#include "vmm/cli/cli.h"

#define LOOK_MS 200 /* between two looks at a VM that is waited for */

struct wishes {
	bool json;
	bool wait;
	const char *operand; /* NULL: none */
};

static int wishes_parse(struct wishes *wishes, const struct command *cmd, int argc, char **argv)
{
	char quoted[64];

	*wishes = (struct wishes){ 0 };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0 && strstr(cmd->synopsis, "--json"))
			wishes->json = true;
		else if (strcmp(argv[i], "--wait") == 0 && strstr(cmd->synopsis, "--wait"))
			wishes->wait = true;
		else if (argv[i][0] != '-' && !wishes->operand)
			wishes->operand = argv[i];
		else
			return fail(-EINVAL, "%s: %s: unknown: see nohype help %s", cmd->name,
				    quote_text(quoted, sizeof(quoted), argv[i], strlen(argv[i])), cmd->name);
	}
	return 0;
}

/* The path of a VM's resource, if it can be one's name; an exit code, reported. */
static int vm_path(const struct command *cmd, const char *name, const char *rest, char path[256])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (!vm_name_check(cmd, name) || !name)
		return EXIT_USAGE;
	if (strspn(name, allowed) != strlen(name) || !*name) {
		fail(-EINVAL, "%s: no VM has a name with such characters", cmd->name);
		return EXIT_USAGE;
	}
	snprintf(path, 256, "/v1/vms/%s%s", name, rest);
	return EXIT_CLEAN;
}

static int exit_of(int status)
{
	if (status < 0 || status >= 500)
		return EXIT_ERROR;
	return status >= 300 ? EXIT_USAGE : EXIT_CLEAN;
}

static void json_print(const json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
}

static void vm_print(const json_t *vm)
{
	const json_t *end = json_object_get(vm, "end");
	const char *text = json_string_value(json_object_get(end, "text"));
	char escaped[256] = "";

	if (text && !json_is_true(json_object_get(vm, "running")))
		escape_text(escaped, sizeof(escaped), text, strlen(text));
	printf("%-24s %-9s %s%.*s\n", json_string_value(json_object_get(vm, "name")),
	       json_string_value(json_object_get(vm, "state")), *escaped ? " " : "", 84, escaped);
}

int list_main(const struct command *cmd, int argc, char **argv)
{
	struct wishes wishes;
	const json_t *vm;
	json_t *answer;
	size_t i;
	int status;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (wishes_parse(&wishes, cmd, argc, argv))
		return EXIT_USAGE;
	if (wishes.operand) {
		fail(-EINVAL, "%s: wanted no name: nohype show NAME is about one", cmd->name);
		return EXIT_USAGE;
	}
	status = api_ask("GET", "/v1/vms", "", 0, &answer);
	if (status == 200 && wishes.json) {
		json_print(json_object_get(answer, "vms"));
	} else if (status == 200) {
		printf("%-24s %-9s\n", "NAME", "STATE");
		json_array_foreach (json_object_get(answer, "vms"), i, vm)
			vm_print(vm);
	}
	json_decref(answer);
	return exit_of(status);
}

/* One request about one VM; its answer is shown if it has one. */
static int ask_simply(const struct command *cmd, int argc, char **argv, const char *method)
{
	struct wishes wishes;
	char path[256];
	json_t *answer;
	int code, status;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	code = wishes_parse(&wishes, cmd, argc, argv) ? EXIT_USAGE : vm_path(cmd, wishes.operand, "", path);
	if (code)
		return code;
	status = api_ask(method, path, "", 0, &answer);
	if (answer && wishes.json)
		json_print(answer);
	else if (answer)
		vm_print(answer);
	json_decref(answer);
	return exit_of(status);
}

int show_main(const struct command *cmd, int argc, char **argv)
{
	return ask_simply(cmd, argc, argv, "GET");
}

int delete_main(const struct command *cmd, int argc, char **argv)
{
	return ask_simply(cmd, argc, argv, "DELETE");
}

/* Until it is sealed (0), or has ended: as it did. */
static int vm_await(const char *name)
{
	static const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	char path[256];

	snprintf(path, sizeof(path), "/v1/vms/%s", name);
	for (;;) {
		json_t *vm;
		int code = exit_of(api_ask("GET", path, "", 0, &vm));
		const char *state = json_string_value(json_object_get(vm, "state"));
		bool sealed = state && strcmp(state, "sealed") == 0,
		     gone = !json_is_true(json_object_get(vm, "running"));
		const json_t *end = json_object_get(vm, "end");

		if (!code && gone) {
			code = (int)json_integer_value(json_object_get(end, "code"));
			note("%s: %s", name, json_string_value(json_object_get(end, "text")));
		}
		json_decref(vm);
		if (code || sealed || gone)
			return code;
		nanosleep(&pause, NULL);
	}
}

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

/* Those of disks; "save" may be a word instead. */
static bool disk_paths_complete(json_t *json, const char *folder)
{
	size_t i;
	json_t *disk;

	json_array_foreach (json_object_get(json, "disks"), i, disk) {
		json_t *pmem = json_object_get(disk, "pmem");
		const char *save = json_string_value(json_object_get(pmem, "save"));
		bool is_path = save && strcmp(save, "never") != 0 && strcmp(save, "on-stop") != 0;

		if (!path_complete(pmem, "image", folder) || (is_path && !path_complete(pmem, "save", folder)))
			return false;
	}
	return true;
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
	if (slash && path_complete(json, "kernel", folder) && path_complete(json, "initrd", folder) &&
	    path_complete(json, "report", folder) && disk_paths_complete(json, folder))
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

int start_main(const struct command *cmd, int argc, char **argv)
{
	char path[256], name[VM_NAME_MAX + 1] = "";
	struct wishes wishes;
	json_t *answer;
	int code;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (wishes_parse(&wishes, cmd, argc, argv))
		return EXIT_USAGE;
	code = is_file(wishes.operand) ? file_put(wishes.operand, name) : EXIT_CLEAN;
	if (!code)
		code = vm_path(cmd, *name ? name : wishes.operand, "/start", path);
	if (code)
		return code;
	code = exit_of(api_ask("POST", path, "", 0, &answer));
	json_decref(answer);
	return !code && wishes.wait ? vm_await(*name ? name : wishes.operand) : code;
}
