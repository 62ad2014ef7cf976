// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"

#define EXIT_CODES "exit-codes" /* a subject of help that is no command */

void help_print(void)
{
	puts("Usage: nohype [--help | --version] COMMAND [ARGUMENT...]\n\n"
	     "Runs a Linux guest on KVM with a core of its own for each vCPU.\n\n"
	     "Commands:");
	for (const struct command *cmd = commands; cmd->name; cmd++)
		printf("  %-8s %s\n", cmd->name, cmd->summary);
	puts("\nnohype help COMMAND says more about one; nohype help " EXIT_CODES " lists the exit codes.");
}

void help_print_command(const struct command *cmd)
{
	printf("Usage: nohype %s %s\n\n%s", cmd->name, cmd->synopsis, cmd->details);
	if (!cmd->configured)
		return;
	putchar('\n');
	options_print(cmd);
}

bool help_asked(const struct command *cmd, const char *word)
{
	bool asked = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;

	if (asked)
		help_print_command(cmd);
	return asked;
}

static void help_print_exit_codes(void)
{
	for (int code = EXIT_CLEAN; code <= EXIT_ABORTED; code++)
		printf("%d  %s\n", code, exit_code_text(code));
	printf("%d  %s\n", EXIT_TIMEOUT, exit_code_text(EXIT_TIMEOUT));
}

static int help_unknown(const char *subject)
{
	struct nearest near = { .asked = subject };
	char quoted[64];

	quote_text(quoted, sizeof(quoted), subject, strlen(subject));
	commands_suggest(&near);
	nearest_offer(&near, EXIT_CODES, EXIT_CODES);
	if (near.word)
		fail(-EINVAL, "help: %s: no such command: did you mean %s?", quoted, near.word);
	else
		fail(-EINVAL, "help: %s: no such command: nohype help lists what there is", quoted);
	return EXIT_USAGE;
}

int help_main(const struct command *cmd, int argc, char **argv)
{
	const struct command *about;

	if (argc > 2) {
		fail(-EINVAL, "help: wanted one command, found %d", argc - 1);
		return EXIT_USAGE;
	}
	if (argc < 2) {
		help_print();
		return EXIT_CLEAN;
	}
	if (strcmp(argv[1], EXIT_CODES) == 0) {
		help_print_exit_codes();
		return EXIT_CLEAN;
	}
	about = argv[1][0] == '-' ? cmd : command_find(argv[1]);
	if (!about)
		return help_unknown(argv[1]);
	help_print_command(about);
	return EXIT_CLEAN;
}
