// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/util.h"

#define LONG_ONLY 256 /* what getopt_long returns for option i without a letter: LONG_ONLY + i */

/* What an option does. */
enum action { SET_KEY, VERBOSE, JSON, MANAGED, HELP };

static const struct cli_option {
	char letter; /* 0: none */
	const char *name;
	const char *argument; /* NULL: takes none */
	enum action action;
	const char *key; /* SET_KEY: the configuration's key that it sets */
	const char *text;
	const char *only; /* the one command that takes it; NULL: all */
} options[] = {
	{ 'k', "kernel", "FILE", SET_KEY, "kernel", "kernel image: a bzImage, or an ELF vmlinux with PVH" },
	{ 'i', "initrd", "FILE", SET_KEY, "initrd", "initrd" },
	{ 'a', "append", "CMDLINE", SET_KEY, "cmdline", "the guest's kernel command line, in place of the file's" },
	{ 'c', "vcpus", "N", SET_KEY, "vcpus", "vCPUs, 1 to 255 (default: as many as cores, or 1)" },
	{ 0, "cores", "LIST", SET_KEY, "cores", "host CPU of each vCPU: 1,3-5, or auto (default)" },
	{ 0, "smt", "HOW", SET_KEY, "smt", "other threads of its cores: exclude (default), whole-core or share" },
	{ 'm', "memory", "SIZE", SET_KEY, "memory.size", "memory: 512M (default), 2G, ..." },
	{ 0, "page-size", "SIZE", SET_KEY, "memory.page_size", "pages of that memory: 4K (default), 2M or 1G" },
	{ 's', "seal", "LEVEL", SET_KEY, "seal.level", "audit, userspace, strict (default) or silent" },
	{ 0, "tripwire", "KIND", SET_KEY, "seal.tripwire", "kernel (default), or polled: for users without privilege" },
	{ 0, "evidence", "ADDRESS:WORDS", SET_KEY, "seal.evidence",
	  "print these 64-bit words of guest memory at the end" },
	{ 0, "require", "LIST", SET_KEY, "require",
	  "guarantees without which it is not to run: cores.isolated,..., or all" },
	{ 0, "report", "FILE", SET_KEY, "report", "write what became of it into this file, at its end" },
	{ 0, "rings", "on|off", SET_KEY, "rings", "console and log that work after the seal (default: off)" },
	{ 'n', "name", "NAME", SET_KEY, "name", "the VM's name (default: the file's, or vm)" },
	{ 'v', "verbose", NULL, VERBOSE, NULL, "say the whole command line, the placement and each step" },
	{ 0, "json", NULL, JSON, NULL, "print {\"ok\": true or false, \"errors\": [...]} instead", .only = "check" },
	{ 0, "managed", NULL, MANAGED, NULL, "for nohyped alone: write its life to fd 3", .only = "run" },
	{ 'h', "help", NULL, HELP, NULL, "show this help" },
};
_Static_assert(ARRAY_SIZE(options) <= OPTIONS_MAX, "struct invocation has room for each");

static bool option_is_for(const struct cli_option *opt, const struct command *cmd)
{
	return !opt->only || strcmp(opt->only, cmd->name) == 0;
}

/* Our table in the two forms that getopt_long wants. */
struct getopt_tables {
	char letters[2 + 2 * ARRAY_SIZE(options)];
	struct option names[ARRAY_SIZE(options) + 1];
};

static void tables_build(struct getopt_tables *tables, const struct command *cmd)
{
	struct option *name = tables->names;
	char *letter = tables->letters;

	*letter++ = ':'; /* tell a missing argument from an unknown option, and print nothing */
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct cli_option *opt = &options[i];

		if (!option_is_for(opt, cmd))
			continue;
		*name++ = (struct option){ opt->name, opt->argument ? required_argument : no_argument, NULL,
					   opt->letter ? opt->letter : LONG_ONLY + (int)i };
		if (opt->letter)
			*letter++ = opt->letter;
		if (opt->letter && opt->argument)
			*letter++ = ':';
	}
	*name = (struct option){ 0 };
	*letter = '\0';
}

static size_t option_index(int value)
{
	size_t i = 0;

	if (value >= LONG_ONLY)
		return (size_t)(value - LONG_ONLY);
	while (options[i].letter != value)
		i++;
	return i;
}

/* getopt has moved past @word, but for a letter in the middle of several: "-vx". */
static int unknown_option(const struct command *cmd, const char *word)
{
	struct nearest near = { .asked = word + 2 };
	char quoted[64], letter[3] = { '-', (char)optopt };

	if (strncmp(word, "--", 2) != 0) {
		quote_text(quoted, sizeof(quoted), letter, 2);
		return fail(-EINVAL, "%s: option %s: unknown: see nohype help %s", cmd->name, quoted, cmd->name);
	}
	quote_text(quoted, sizeof(quoted), word, strlen(word));
	if (optopt)
		return fail(-EINVAL, "%s: option %s: takes no argument", cmd->name, quoted);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (option_is_for(&options[i], cmd))
			nearest_offer(&near, options[i].name, options[i].name);
	}
	if (near.word)
		return fail(-EINVAL, "%s: option %s: unknown: did you mean --%s?", cmd->name, quoted, near.word);
	return fail(-EINVAL, "%s: option %s: unknown: see nohype help %s", cmd->name, quoted, cmd->name);
}

static void option_apply(struct invocation *inv, size_t index, bool as_long)
{
	struct setting *setting = &inv->settings[index];

	switch (options[index].action) {
	case SET_KEY:
		setting->key = options[index].key;
		setting->value = optarg;
		if (as_long)
			snprintf(setting->where, sizeof(setting->where), "option --%s", options[index].name);
		else
			snprintf(setting->where, sizeof(setting->where), "option -%c", options[index].letter);
		break;
	case VERBOSE:
		inv->run.verbose = true;
		break;
	case JSON:
		inv->json = true;
		break;
	case MANAGED:
		inv->run.managed = true;
		break;
	case HELP:
		inv->help = true;
		break;
	}
}

static int operands_parse(struct invocation *inv, const struct command *cmd, int argc, char **argv)
{
	char quoted[64];

	if (optind < argc)
		inv->file = argv[optind++];
	if (optind == argc)
		return 0;
	quote_text(quoted, sizeof(quoted), argv[optind], strlen(argv[optind]));
	return fail(-EINVAL, "%s: %s: wanted no second configuration", cmd->name, quoted);
}

int options_parse(struct invocation *inv, const struct command *cmd, int argc, char **argv)
{
	struct getopt_tables tables;
	int value, name_index;

	*inv = (struct invocation){ 0 };
	tables_build(&tables, cmd);
	optind = 0; /* glibc: start anew */
	for (;;) {
		name_index = -1;
		value = getopt_long(argc, argv, tables.letters, tables.names, &name_index);
		if (value == -1)
			return operands_parse(inv, cmd, argc, argv);
		if (value == '?')
			return unknown_option(cmd, argv[optind - 1]);
		if (value == ':')
			return fail(-EINVAL, "%s: option %s: wanted an argument", cmd->name, argv[optind - 1]);
		option_apply(inv, option_index(value), name_index >= 0);
	}
}

void options_print(const struct command *cmd)
{
	char left[64], letter[] = "-k, ";

	puts("Options:");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct cli_option *opt = &options[i];

		if (!option_is_for(opt, cmd))
			continue;
		letter[1] = opt->letter;
		snprintf(left, sizeof(left), "%s--%s%s%s", opt->letter ? letter : "    ", opt->name,
			 opt->argument ? " " : "", opt->argument ? opt->argument : "");
		printf("  %-22s %s\n", left, opt->text);
	}
}
