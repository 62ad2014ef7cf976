// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/cli/cli.h"

#include "base/exit_code.h"
#include "vmm/cli/bystanders.h"

int run_main(const struct command *cmd, int argc, char **argv)
{
	struct invocation inv;
	struct vm_config cfg;
	int err, code;

	if (options_parse(&inv, cmd, argc, argv))
		return EXIT_USAGE;
	if (inv.help) {
		help_print_command(cmd);
		return EXIT_CLEAN;
	}
	err = configuration_load(&cfg, &inv);
	if (err)
		code = configuration_exit(err);
	else if (bystanders_check("the start of a VM interrupts every core: start it before that one is sealed"))
		code = EXIT_HOST;
	else
		code = vm_run(&cfg, &inv.run);
	config_free(&cfg);
	return code;
}
