// SPDX-License-Identifier: GPL-2.0-only
/* stop, abort, seal, exits: a word to a running VM's supervisor. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/supervisor/control.h"

static json_int_t member(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void exits_print(const json_t *answer)
{
	const json_t *vcpu;
	size_t i;

	printf("%s: %s (%s)\n", json_string_value(json_object_get(answer, "name")),
	       json_string_value(json_object_get(answer, "state")),
	       json_string_value(json_object_get(answer, "level")));
	printf("%5s %5s %15s %18s %15s\n", "vCPU", "core", "before the seal", "since, by the host", "by the guest");
	json_array_foreach (json_object_get(answer, "vcpus"), i, vcpu) {
		json_int_t host = member(vcpu, "host") - member(vcpu, "host_before_seal");
		json_int_t all = member(vcpu, "exits") - member(vcpu, "before_seal");

		printf("%5" JSON_INTEGER_FORMAT " %5" JSON_INTEGER_FORMAT " %15" JSON_INTEGER_FORMAT
		       " %18" JSON_INTEGER_FORMAT " %15" JSON_INTEGER_FORMAT "\n",
		       member(vcpu, "vcpu"), member(vcpu, "core"), member(vcpu, "before_seal"), host, all - host);
	}
}

static int answer_take(const struct command *cmd, const char *text, bool as_json)
{
	json_t *answer = json_loads(text, 0, NULL);
	int code = EXIT_CLEAN;

	if (!json_is_true(json_object_get(answer, "ok"))) {
		fail(-EPROTO, "%s: its supervisor doesn't know this request: is it of another version?", cmd->name);
		code = EXIT_ERROR;
	} else if (as_json) {
		puts(text);
	} else if (strcmp(cmd->name, "exits") == 0) {
		exits_print(answer);
	}
	json_decref(answer);
	return code;
}

int control_main(const struct command *cmd, int argc, char **argv)
{
	char text[CONTROL_TEXT_MAX];
	bool as_json = argc == 3 && strcmp(argv[1], "--json") == 0;
	int err;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		help_print_command(cmd);
		return EXIT_CLEAN;
	}
	if (argc != 2 + as_json) {
		fail(-EINVAL, "%s: wanted the name of a VM: see nohype help %s", cmd->name, cmd->name);
		return EXIT_USAGE;
	}
	if (strlen(argv[argc - 1]) > VM_NAME_MAX) {
		fail(-EINVAL, "%s: no VM has a name of over %d bytes", cmd->name, VM_NAME_MAX);
		return EXIT_USAGE;
	}
	err = control_ask(argv[argc - 1], cmd->name, text, sizeof(text));
	return err ? EXIT_ERROR : answer_take(cmd, text, as_json);
}
