// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/text_file.h"
#include "vmm/report/report.h"

json_t *told_parse(const char *text, size_t len, const char *name)
{
	char why[128];
	json_error_t error;
	json_t *report = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (!report) {
		fail(-EINVAL, "%s:%d: %s", name, error.line,
		     escape_text(why, sizeof(why), error.text, strlen(error.text)));
		return NULL;
	}
	if (!told_check(report, name))
		return report;
	json_decref(report);
	return NULL;
}

json_t *told_read(const char *path)
{
	char *text;
	ssize_t len = text_file_read(path, REPORT_SIZE_MAX, "a report", "a report", &text);
	json_t *report;

	if (len < 0)
		return NULL;
	report = told_parse(text, (size_t)len, path);
	free(text);
	return report;
}
