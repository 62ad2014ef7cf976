/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_HOST_H
#define VMM_CLI_HOST_H

#include "vmm/cli/cli.h"

/* host.c: one of `nohype host`'s commands. */
struct host_command {
	const char *name;
	const char *synopsis;		    /* what follows the name */
	const char *details;		    /* for --help */
	int (*main)(int argc, char **argv); /* argv[0] is the name; an enum exit_code */
};

/* host_noise.c */
int host_noise_main(int argc, char **argv);

#endif
