// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: any bytes as a request's method and path, up to the first newline, and as a file of records. What is
 * found is one of our names, and a record is what its checksum says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/record.h"
#include "vmm/config/parse.h"
#include "vmm/system/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int held)
{
	if (!held)
		abort();
}

static void request_try(char *line)
{
	char *path = strchr(line, ' ');
	struct route route;
	unsigned int status;

	if (!path)
		return;
	*path++ = '\0';
	status = route_find(&route, line, path);
	require(status == 0 || status == 404 || status == 405);
	require((status == 405) == (route.allow[0] && status));
	if (status != 404 && route.name[0])
		require(name_is_valid(route.name));
	if (!status && route.id >= ROUTE_SHOW)
		require(route.name[0] != '\0');
}

static void records_try(char *text, size_t size)
{
	char *at = text, *end = text + size;
	unsigned int bad = 0;
	const char *record;

	while ((record = record_next(&at, end, &bad)))
		require(record >= text && record + strlen(record) < end);
	require(at >= text && at <= end && !memchr(at, '\n', (size_t)(end - at)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	records_try(text, size);
	memcpy(text, data, size);
	text[strcspn(text, "\n")] = '\0';
	request_try(text);
	free(text);
	return 0;
}
