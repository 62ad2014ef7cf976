// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/cli.h"

static int unknown_command(const char *name)
{
	const char *what = *name == '-' ? "option" : "command";
	struct nearest near = { .asked = name };
	char quoted[64];

	quote_text(quoted, sizeof(quoted), name, strlen(name));
	if (*name == '-') {
		nearest_offer(&near, "--help", "--help");
		nearest_offer(&near, "--version", "--version");
	} else {
		commands_suggest(&near);
	}
	if (near.word)
		fail(-EINVAL, "%s: unknown %s: did you mean %s?", quoted, what, near.word);
	else
		fail(-EINVAL, "%s: unknown %s: nohype help lists what there is", quoted, what);
	return EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		fail(-EINVAL, "no command: wanted nohype COMMAND; nohype help lists what there is");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("nohype " NOHYPE_VERSION);
		return EXIT_CLEAN;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_print();
		return EXIT_CLEAN;
	}
	cmd = command_find(argv[1]);
	if (!cmd)
		return unknown_command(argv[1]);
	return cmd->main(cmd, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int code = dispatch(argc, argv);

	if (fflush(stdout) != 0 && code == EXIT_CLEAN) {
		fail(-errno, "standard output: %s", strerror(errno));
		return EXIT_ERROR;
	}
	return code;
}
