/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_CLI_H
#define VMM_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "base/nearest.h"
#include "vmm/supervisor/supervisor.h"

/* commands.c: what nohype can do, in the order in which the help shows it. Ends with a NULL name. */
struct command {
	const char *name;
	const char *synopsis; /* what follows the name */
	const char *summary;  /* one line */
	const char *details;  /* for `nohype help NAME` */
	bool configured;      /* takes a configuration and the options that override it */
	int (*main)(const struct command *cmd, int argc, char **argv); /* argv[0] is the name; an enum exit_code */
};

extern const struct command commands[];

const struct command *command_find(const char *name);
void commands_suggest(struct nearest *near);

/* run.c, check.c, help.c; control.c for what says a word to a running VM, exits.c; console.c; report.c; host.c;
 * doctor.c. */
int run_main(const struct command *cmd, int argc, char **argv);
int check_main(const struct command *cmd, int argc, char **argv);
int control_main(const struct command *cmd, int argc, char **argv);
int console_main(const struct command *cmd, int argc, char **argv);
int logs_main(const struct command *cmd, int argc, char **argv);
int exits_main(const struct command *cmd, int argc, char **argv);
int report_main(const struct command *cmd, int argc, char **argv);
int explain_main(const struct command *cmd, int argc, char **argv);
int host_main(const struct command *cmd, int argc, char **argv);
int doctor_main(const struct command *cmd, int argc, char **argv);
/* manager.c: by nohyped. */
int list_main(const struct command *cmd, int argc, char **argv);
int show_main(const struct command *cmd, int argc, char **argv);
int start_main(const struct command *cmd, int argc, char **argv);
int delete_main(const struct command *cmd, int argc, char **argv);
/* top.c */
int top_main(const struct command *cmd, int argc, char **argv);
/* events.c */
int events_main(const struct command *cmd, int argc, char **argv);
/* recover.c */
int recover_main(const struct command *cmd, int argc, char **argv);
int help_main(const struct command *cmd, int argc, char **argv);

/* control.c: a supervisor's answer, or NULL, reported, if it has understood nothing; and can a VM be called @name? */
json_t *answer_parse(const struct command *cmd, const char *text);
bool vm_name_check(const struct command *cmd, const char *name);

/* options.c: the options of the commands that take a configuration. */
#define OPTIONS_MAX 24

/* One option that was given, or .key NULL. */
struct setting {
	const char *key;   /* the configuration's */
	const char *value; /* its argument */
	char where[24];	   /* "option --memory", or as it was written */
};

struct invocation {
	const char *file;		      /* configuration, or NULL */
	struct setting settings[OPTIONS_MAX]; /* in the table's order; of one given twice, the last */
	struct run_options run;
	bool json;
	bool help;
};

/* -EINVAL, reported, if the command line is wrong. */
int options_parse(struct invocation *inv, const struct command *cmd, int argc, char **argv);

/* The options that @cmd takes, for its help. */
void options_print(const struct command *cmd);

/*
 * configuration.c: the file, then the options over it, then the defaults and what only the whole can tell. All errors
 * are reported; 0 or negative errno. @cfg is initialised in any case, so config_free it.
 */
int configuration_load(struct vm_config *cfg, const struct invocation *inv);

/* What begins messages about the whole: the file's name, or "command line". */
const char *configuration_name(const struct invocation *inv);

/* Which exit code an error of configuration_load makes. */
int configuration_exit(int err);

/* help.c */
void help_print(void);
void help_print_command(const struct command *cmd);

/* Is @word --help or -h? Then it was given. */
bool help_asked(const struct command *cmd, const char *word);

#endif
