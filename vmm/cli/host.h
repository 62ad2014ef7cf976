/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_HOST_H
#define VMM_CLI_HOST_H

#include <stdio.h>

#include "vmm/cli/cli.h"

/* host.c: one of `nohype host`'s commands. */
struct host_command {
	const char *name;
	const char *synopsis;		    /* what follows the name */
	const char *details;		    /* for --help */
	int (*main)(int argc, char **argv); /* argv[0] is the name; an enum exit_code */
};

/* host_apply.c */
int host_plan_main(int argc, char **argv);
int host_apply_main(int argc, char **argv);

/* host_undo.c */
int host_status_main(int argc, char **argv);
int host_undo_main(int argc, char **argv);

/* host_options.c: what these four take. */
struct host_options {
	const char *cores; /* a list; NULL: not given */
	const char *state; /* folder of the journal */
	bool dry_run, json, force;
};

/* @takes: the letters of those that the command takes: c(ores), d(ry-run), j(son), f(orce). False: wrong, reported. */
bool host_options_parse(struct host_options *options, const char *takes, int argc, char **argv);

/* host_print.c */
struct host;
struct host_status;
struct undone;
void host_print_plan(const struct host *host, FILE *out);
json_t *host_plan_json(const struct host *host);
void host_print_status(const struct host_status *status, FILE *out);
json_t *host_status_json(const struct host_status *status);
json_t *host_undone_json(const struct undone *undone);

/* Prints @json, which it takes, on one line. */
void host_print_json(json_t *json);

/* host_topology.c */
int host_topology_main(int argc, char **argv);

/* host_noise.c */
int host_noise_main(int argc, char **argv);

#endif
