// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: any bytes as a report. Of whatever is accepted a page can be made, and nothing of it gets out of its
 * place there. Messages go to standard error: run with -close_fd_mask=2.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int held)
{
	if (!held)
		abort();
}

static void page_verify(const json_t *report)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	require(out != NULL);
	page_write(report, out);
	fclose(out);
	require(strlen(text) == size);
	require(!strstr(text, "<script") && !strstr(text, "<img") && !strstr(text, "<a "));
	require(strcmp(text + size - strlen("</html>\n"), "</html>\n") == 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *report = told_parse((const char *)data, size, "report.json");

	if (report)
		page_verify(report);
	json_decref(report);
	return 0;
}
