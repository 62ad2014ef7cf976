// SPDX-License-Identifier: GPL-2.0-only
/* `nohype report`: a report as a page, or as it is. */
#include "vmm/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/replace.h"
#include "vmm/cli/api.h"
#include "vmm/cli/manager.h"

/* "web.json" becomes "web.html"; the caller frees it. */
static char *page_name(const char *path)
{
	size_t len = strlen(path), suffix = strlen(".json");
	char *name;

	if (len > suffix && strcmp(path + len - suffix, ".json") == 0)
		len -= suffix;
	return asprintf(&name, "%.*s.html", (int)len, path) < 0 ? NULL : name;
}

static int page_make(const json_t *report, const char *path)
{
	struct replacement page = { .folder = -1 };
	int err = replace_open(&page, path, "report");
	FILE *out;

	if (err)
		return err;
	out = replace_begin(&page);
	err = out ? 0 : -errno;
	if (out) {
		page_write(report, out);
		err = replace_commit(&page);
	}
	if (err)
		fail(err, "report: \"%s\": %s", path, strerror(-err));
	replace_close(&page);
	return err;
}

struct report_wishes {
	const char *from; /* a file or a VM */
	const char *to;	  /* NULL: not given */
	bool json;
};

/* A VM's name that is a file's too means the file. */
static bool is_file(const char *from)
{
	size_t len = strlen(from), suffix = strlen(".json");

	return strchr(from, '/') || (len > suffix && strcmp(from + len - suffix, ".json") == 0) || !access(from, F_OK);
}

/* That of the last life of nohyped's VM @name; NULL, reported. */
static json_t *manager_report(const struct command *cmd, const char *name)
{
	char path[VM_PATH_MAX], *text;
	json_t *report = NULL;

	if (vm_path(cmd, name, "/report", path))
		return NULL;
	text = api_text(path);
	if (text)
		report = told_parse(text, strlen(text), name);
	free(text);
	return report;
}

static int page_show(const json_t *report, const struct report_wishes *wishes)
{
	char *made = wishes->to ? NULL : page_name(wishes->from);
	int err = 0;

	if (wishes->to && strcmp(wishes->to, "-") == 0)
		page_write(report, stdout);
	else if (!wishes->to && !made)
		err = fail(-ENOMEM, "report: no memory for a name");
	else
		err = page_make(report, wishes->to ? wishes->to : made);
	if (!err && !wishes->to)
		printf("%s\n", made);
	free(made);
	return err ? EXIT_ERROR : EXIT_CLEAN;
}

static int report_show(const struct command *cmd, const struct report_wishes *wishes)
{
	json_t *report = is_file(wishes->from) ? told_read(wishes->from) : manager_report(cmd, wishes->from);
	int code = EXIT_CLEAN;

	if (!report)
		return EXIT_USAGE;
	if (wishes->json)
		json_print(report);
	else
		code = page_show(report, wishes);
	json_decref(report);
	return code;
}

static int usage(const char *what)
{
	char quoted[64];

	if (what)
		fail(-EINVAL, "report: %s: unknown, or one too many: see nohype help report",
		     quote_text(quoted, sizeof(quoted), what, strlen(what)));
	else
		fail(-EINVAL, "report: wanted a report's file, or the name of a VM: see nohype help report");
	return EXIT_USAGE;
}

int report_main(const struct command *cmd, int argc, char **argv)
{
	struct report_wishes wishes = { 0 };

	for (int i = 1; i < argc; i++) {
		if (help_asked(cmd, argv[i]))
			return EXIT_CLEAN;
		if ((strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0) && i + 1 < argc)
			wishes.to = argv[++i];
		else if (strcmp(argv[i], "--json") == 0)
			wishes.json = true;
		else if (!wishes.from && argv[i][0] != '-')
			wishes.from = argv[i];
		else
			return usage(argv[i]);
	}
	if (wishes.json && wishes.to) {
		fail(-EINVAL, "report: wanted -o, which makes a page, or --json");
		return EXIT_USAGE;
	}
	return wishes.from ? report_show(cmd, &wishes) : usage(NULL);
}
