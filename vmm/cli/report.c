// SPDX-License-Identifier: GPL-2.0-only
/* `nohype report`: a report as a page. */
#include "vmm/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/replace.h"
#include "vmm/cli/cli.h"

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

static int report_show(const char *from, const char *to)
{
	json_t *report = told_read(from);
	char *made = to ? NULL : page_name(from);
	int err = 0;

	if (!report) {
		free(made);
		return EXIT_USAGE;
	}
	if (to && strcmp(to, "-") == 0)
		page_write(report, stdout);
	else if (!to && !made)
		err = fail(-ENOMEM, "report: no memory for a name");
	else
		err = page_make(report, to ? to : made);
	if (!err && !to)
		printf("%s\n", made);
	json_decref(report);
	free(made);
	return err ? EXIT_ERROR : EXIT_CLEAN;
}

static int usage(const char *what)
{
	char quoted[64];

	if (what)
		fail(-EINVAL, "report: %s: unknown, or one too many: see nohype help report",
		     quote_text(quoted, sizeof(quoted), what, strlen(what)));
	else
		fail(-EINVAL, "report: wanted a report's file: see nohype help report");
	return EXIT_USAGE;
}

int report_main(const struct command *cmd, int argc, char **argv)
{
	const char *from = NULL, *to = NULL;

	for (int i = 1; i < argc; i++) {
		if (help_asked(cmd, argv[i]))
			return EXIT_CLEAN;
		if ((strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0) && i + 1 < argc)
			to = argv[++i];
		else if (!from && argv[i][0] != '-')
			from = argv[i];
		else
			return usage(argv[i]);
	}
	return from ? report_show(from, to) : usage(NULL);
}
