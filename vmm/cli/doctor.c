// SPDX-License-Identifier: GPL-2.0-only
/* `nohype doctor`: what this host can keep, and what to do about the rest. */
#include "vmm/doctor/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/cli.h"

struct asked {
	const char *file;  /* of --for, or NULL */
	const char *cores; /* of --cores, or NULL */
	bool json, fix;
};

static const struct option options[] = {
	{ "for", required_argument, NULL, 'f' },
	{ "cores", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "fix", no_argument, NULL, 'x' },
	{ NULL },
};

static int option_refuse(const char *word, int why)
{
	struct nearest near = { .asked = word };
	char quoted[64];

	quote_text(quoted, sizeof(quoted), word, strlen(word));
	if (why == ':')
		return fail(-EINVAL, "doctor: option %s: wanted an argument", word);
	if (optopt)
		return fail(-EINVAL, "doctor: option %s: unknown, or takes no argument: see nohype help doctor",
			    quoted);
	for (const struct option *option = options; option->name; option++) {
		char known[16];

		snprintf(known, sizeof(known), "--%s", option->name);
		nearest_offer(&near, known, option->name);
	}
	if (near.word)
		return fail(-EINVAL, "doctor: option %s: unknown: did you mean --%s?", quoted, near.word);
	return fail(-EINVAL, "doctor: option %s: unknown: see nohype help doctor", quoted);
}

static int operand_refuse(const char *word)
{
	char quoted[64];

	return fail(-EINVAL, "doctor: %s: wanted options alone: see nohype help doctor",
		    quote_text(quoted, sizeof(quoted), word, strlen(word)));
}

static int asked_parse(struct asked *asked, int argc, char **argv)
{
	int option;

	optind = 0; /* glibc: start anew */
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == 'f')
			asked->file = optarg;
		else if (option == 'c')
			asked->cores = optarg;
		else if (option == 'j')
			asked->json = true;
		else if (option == 'x')
			asked->fix = true;
		else
			return option_refuse(argv[optind - 1], option);
	}
	if (optind < argc)
		return operand_refuse(argv[optind]);
	if (asked->json && asked->fix)
		return fail(-EINVAL, "doctor: --json and --fix: wanted one of them");
	return 0;
}

/* The configuration as `nohype run FILE --cores LIST` would have it. */
static int vm_load(struct vm_config *vm, const struct asked *asked)
{
	struct invocation inv = { .file = asked->file };

	return configuration_load(vm, &inv);
}

static int cores_load(const char *list, unsigned int *cores, unsigned int *count)
{
	char quoted[64];
	int err;

	*count = 0;
	if (!list)
		return 0;
	err = cores_parse(list, cores, VM_CORES_MAX, count);
	if (err)
		return fail(err, "doctor: option --cores: %s: wanted host CPU numbers as 1,3-5, each once",
			    quote_text(quoted, sizeof(quoted), list, strlen(list)));
	return 0;
}

static bool can_colour(void)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (!no_colour || !*no_colour) && term && *term && strcmp(term, "dumb") != 0;
}

static int answer(const struct diagnosis *diagnosis, const struct doctor *doctor, const struct asked *asked)
{
	json_t *json;

	if (asked->fix)
		return fix_print(diagnosis, doctor, stdout);
	if (!asked->json) {
		diagnosis_print(diagnosis, doctor, can_colour(), stdout);
		return 0;
	}
	json = diagnosis_json(diagnosis, doctor);
	if (!json || json_array_size(json) != diagnosis->count) {
		json_decref(json);
		return fail(-ENOMEM, "doctor: no memory for %zu checks", diagnosis->count);
	}
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
	return 0;
}

static int doctor_run(const struct asked *asked, const struct vm_config *vm)
{
	unsigned int cores[VM_CORES_MAX], count;
	struct diagnosis diagnosis = { 0 };
	int code = EXIT_ERROR;
	struct doctor doctor;

	if (cores_load(asked->cores, cores, &count))
		return EXIT_USAGE;
	if (doctor_open(&doctor, "/", vm, cores, count))
		code = EXIT_USAGE;
	else if (!diagnosis_make(&diagnosis, &doctor) && !answer(&diagnosis, &doctor, asked))
		code = diagnosis_is_good(&diagnosis, &doctor) ? EXIT_CLEAN : EXIT_HOST;
	diagnosis_free(&diagnosis);
	doctor_close(&doctor);
	return code;
}

int doctor_main(const struct command *cmd, int argc, char **argv)
{
	struct asked asked = { 0 };
	struct vm_config vm;
	int err, code;

	for (int i = 1; i < argc; i++)
		if (help_asked(cmd, argv[i]))
			return EXIT_CLEAN;
	if (asked_parse(&asked, argc, argv))
		return EXIT_USAGE;
	if (!asked.file)
		return doctor_run(&asked, NULL);
	err = vm_load(&vm, &asked);
	code = err ? configuration_exit(err) : doctor_run(&asked, &vm);
	config_free(&vm);
	return code;
}
