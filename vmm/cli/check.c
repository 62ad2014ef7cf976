// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/cli/cli.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/capture.h"
#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/util.h"

#define ERROR_PREFIX "nohype: error: " /* as base/log.c writes it */

static const char *page_name(uint64_t size)
{
	if (size == GIB(1))
		return "1 GiB";
	return size == MIB(2) ? "2 MiB" : "4 KiB";
}

/* "vm.json: ok: web: 2 vCPUs on host CPUs 1,3, 512 MiB in 4 KiB pages, kernel bzImage" */
static void summary_print(const struct vm_config *cfg, const char *where)
{
	printf("%s: ok: %s: %u vCPU%s on ", where, cfg->name, cfg->vcpus, cfg->vcpus == 1 ? "" : "s");
	for (unsigned int i = 0; i < cfg->ncores; i++)
		printf("%s%u", i ? "," : "host CPUs ", cfg->cores[i]);
	printf("%s, %llu MiB in %s pages, kernel %s\n", cfg->ncores ? "" : "any host CPUs",
	       (unsigned long long)(cfg->memory_size / MIB(1)), page_name(cfg->page_size), cfg->kernel);
}

static int check_all(const struct invocation *inv)
{
	struct vm_config cfg;
	int err, code;

	err = configuration_load(&cfg, inv);
	code = err ? configuration_exit(err) : vm_check(&cfg, &inv->run);
	if (code == EXIT_CLEAN && !inv->json)
		summary_print(&cfg, configuration_name(inv));
	config_free(&cfg);
	return code;
}

/* A message names files as they are called, and that may be no UTF-8, which JSON's strings must be. */
static json_t *message_json(const char *text)
{
	char escaped[LOG_TEXT_MAX];
	json_t *json = json_string(text);

	return json ? json : json_string(escape_text(escaped, sizeof(escaped), text, strlen(text)));
}

/* Errors become elements of the array; what else was said goes where it was going. */
static json_t *errors_json(char *messages)
{
	json_t *errors = json_array();
	char *rest = messages, *line;

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, ERROR_PREFIX, strlen(ERROR_PREFIX)) == 0)
			json_array_append_new(errors, message_json(line + strlen(ERROR_PREFIX)));
		else if (*line)
			fprintf(stderr, "%s\n", line);
	}
	return errors;
}

static int check_json(const struct invocation *inv)
{
	struct capture cap;
	char *messages;
	json_t *report;
	int code;

	if (capture_begin(&cap))
		return EXIT_ERROR;
	code = check_all(inv);
	messages = capture_end(&cap);
	if (!messages)
		return EXIT_ERROR;
	report = json_pack("{s:b, s:o}", "ok", code == EXIT_CLEAN, "errors", errors_json(messages));
	json_dumpf(report, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(report);
	free(messages);
	return code;
}

int check_main(const struct command *cmd, int argc, char **argv)
{
	struct invocation inv;

	if (options_parse(&inv, cmd, argc, argv))
		return EXIT_USAGE;
	if (inv.help) {
		help_print_command(cmd);
		return EXIT_CLEAN;
	}
	return inv.json ? check_json(&inv) : check_all(&inv);
}
