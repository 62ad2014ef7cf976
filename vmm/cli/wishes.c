// SPDX-License-Identifier: GPL-2.0-only
/* The command lines of what is about a VM, and the way to it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/manager.h"

static bool takes(const struct command *cmd, const char *option)
{
	return strstr(cmd->synopsis, option) != NULL;
}

/* A time to wait for means that it is waited. */
static int timeout_parse(struct wishes *wishes, const struct command *cmd, const char *text)
{
	wishes->wait = true;
	if (text && !duration_parse(text, &wishes->timeout))
		return 0;
	return fail(-EINVAL, "%s: --timeout: wanted a time of 1ms to a week: 500ms, 30s, 5m, 2h", cmd->name);
}

int wishes_parse(struct wishes *wishes, const struct command *cmd, int argc, char **argv)
{
	char quoted[64];

	*wishes = (struct wishes){ 0 };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0 && takes(cmd, "--json"))
			wishes->json = true;
		else if (strcmp(argv[i], "--wait") == 0 && takes(cmd, "--wait"))
			wishes->wait = true;
		else if (strcmp(argv[i], "--timeout") == 0 && takes(cmd, "--timeout")) {
			if (timeout_parse(wishes, cmd, argv[++i]))
				return -EINVAL;
		} else if (argv[i][0] != '-' && !wishes->operand)
			wishes->operand = argv[i];
		else
			return fail(-EINVAL, "%s: %s: unknown, or one too many: see nohype help %s", cmd->name,
				    quote_text(quoted, sizeof(quoted), argv[i], strlen(argv[i])), cmd->name);
	}
	return 0;
}

int vm_path(const struct command *cmd, const char *name, const char *rest, char path[VM_PATH_MAX])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (!vm_name_check(cmd, name) || !name)
		return EXIT_USAGE;
	if (strspn(name, allowed) != strlen(name) || !*name) {
		fail(-EINVAL, "%s: no VM has a name with such characters", cmd->name);
		return EXIT_USAGE;
	}
	snprintf(path, VM_PATH_MAX, "/v1/vms/%s%s", name, rest);
	return EXIT_CLEAN;
}

int exit_of(int status)
{
	if (status < 0 || status >= 500 || status == 429)
		return EXIT_ERROR;
	return status >= 300 ? EXIT_USAGE : EXIT_CLEAN;
}

void json_print(const json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
}
