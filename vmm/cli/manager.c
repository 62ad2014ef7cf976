// SPDX-License-Identifier: GPL-2.0-only
/* list, show, delete: what goes through nohyped. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/api.h"
#include "vmm/cli/manager.h"

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
	char path[VM_PATH_MAX];
	json_t *answer;
	int code, status;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	code = wishes_parse(&wishes, cmd, argc, argv) ? EXIT_USAGE : vm_path(cmd, wishes.operand, "", path);
	if (code)
		return code;
	status = api_ask(method, path, "", 0, &answer);
	if (status == 204 && wishes.json)
		answer = json_pack("{s:s, s:b}", "name", wishes.operand, "deleted", 1);
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
