// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any text as schemata. What is accepted is the same when it is written out and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pinning/resctrl/resctrl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void line_verify(const struct schemata_line *line)
{
	static struct schemata again;
	char text[SCHEMATA_MAX];
	const struct schemata_line *same;

	if (schemata_format(line, text, sizeof(text)) < 0 || schemata_parse(text, &again))
		abort();
	same = schemata_find(&again, line->name);
	if (again.count != 1 || !same || same->count != line->count)
		abort();
	for (unsigned int i = 0; i < line->count; i++)
		if (same->domains[i].id != line->domains[i].id || same->domains[i].value != line->domains[i].value)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schemata schemata;
	char text[SCHEMATA_MAX];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (schemata_parse(text, &schemata))
		return 0;
	for (unsigned int i = 0; i < schemata.count; i++)
		line_verify(&schemata.lines[i]);
	return 0;
}
