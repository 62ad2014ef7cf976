// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/cli/cli.h"

#include <stddef.h>
#include <string.h>

const struct command commands[] = {
	{ "run", "[CONFIG.json] [OPTION...]", "start a VM and stay with it to its end",
	  "Starts the VM that CONFIG.json describes, with the guest's serial port on this terminal, and gives all\n"
	  "back when it ends. The exit code says how it ended: nohype help exit-codes.\n"
	  "Options override the file; with -k no file is needed.\n",
	  true, run_main },
	{ "check", "[CONFIG.json] [OPTION...]", "say what run would refuse, and start nothing",
	  "Checks the configuration, the files that it names and this host, and says all that is wrong.\n", true,
	  check_main },
	{ "help", "[COMMAND | exit-codes]", "show help", "Shows help for a command, or the table of exit codes.\n",
	  false, help_main },
	{ NULL },
};

const struct command *command_find(const char *name)
{
	for (const struct command *cmd = commands; cmd->name; cmd++) {
		if (strcmp(cmd->name, name) == 0)
			return cmd;
	}
	return NULL;
}

void commands_suggest(struct nearest *near)
{
	for (const struct command *cmd = commands; cmd->name; cmd++)
		nearest_offer(near, cmd->name, cmd->name);
}
