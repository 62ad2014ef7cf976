// SPDX-License-Identifier: GPL-2.0-only
/* `nohype doctor`: what this host can keep, and what to do about the rest. */
#include "vmm/doctor/doctor.h"

#include <errno.h>
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

static int word_refuse(const char *word)
{
	static const char *const known[] = { "--for", "--cores", "--json", "--fix", "--help" };
	struct nearest near = { .asked = word };
	char quoted[64];

	quote_text(quoted, sizeof(quoted), word, strlen(word));
	if (word[0] != '-')
		return fail(-EINVAL, "doctor: %s: wanted options alone: see nohype help doctor", quoted);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		nearest_offer(&near, known[i], known[i]);
	if (near.word)
		return fail(-EINVAL, "doctor: option %s: unknown: did you mean %s?", quoted, near.word);
	return fail(-EINVAL, "doctor: option %s: unknown: see nohype help doctor", quoted);
}

/* "--for FILE" and "--for=FILE"; @taken: words used. NULL: it is another option; "" and reported: no argument. */
static const char *argument_of(const char *name, int argc, char **argv, int i, int *taken)
{
	size_t len = strlen(name);

	*taken = 1;
	if (strncmp(argv[i], name, len) != 0 || (argv[i][len] != '=' && argv[i][len] != '\0'))
		return NULL;
	if (argv[i][len] == '=')
		return argv[i] + len + 1;
	*taken = 2;
	if (i + 1 < argc)
		return argv[i + 1];
	fail(-EINVAL, "doctor: option %s: wanted an argument", name);
	return "";
}

static int asked_parse(struct asked *asked, int argc, char **argv)
{
	int taken;

	for (int i = 1; i < argc; i += taken) {
		const char *file = argument_of("--for", argc, argv, i, &taken);
		const char *cores = file ? NULL : argument_of("--cores", argc, argv, i, &taken);

		if (file)
			asked->file = file;
		else if (cores)
			asked->cores = cores;
		else if (strcmp(argv[i], "--json") == 0)
			asked->json = true;
		else if (strcmp(argv[i], "--fix") == 0)
			asked->fix = true;
		else
			return word_refuse(argv[i]);
		if (i + taken > argc)
			return -EINVAL;
	}
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
