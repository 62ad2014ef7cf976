// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "pinning/host/internal.h"

int lines_add(struct lines *lines, const char *format, ...)
{
	char **list = reallocarray(lines->list, lines->count + 1, sizeof(*list)), *text = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	if (list)
		lines->list = list;
	if (!list || len < 0) {
		free(len < 0 ? NULL : text);
		return fail(-ENOMEM, "host: no memory for a message");
	}
	lines->list[lines->count++] = text;
	return 0;
}

void lines_free(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->list[i]);
	free(lines->list);
	*lines = (struct lines){ 0 };
}
