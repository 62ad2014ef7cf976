// SPDX-License-Identifier: GPL-2.0-only
#include "base/escape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BYTE_MAX 4 /* longest form of one byte: \xHH */

static void escape_byte(char form[BYTE_MAX + 1], unsigned char byte, bool quoted)
{
	if (byte == '\n' || byte == '\t')
		snprintf(form, BYTE_MAX + 1, "\\%c", byte == '\n' ? 'n' : 't');
	else if (byte < 0x20 || byte >= 0x7f)
		snprintf(form, BYTE_MAX + 1, "\\x%02x", byte);
	else if (quoted && (byte == '"' || byte == '\\'))
		snprintf(form, BYTE_MAX + 1, "\\%c", byte);
	else
		snprintf(form, BYTE_MAX + 1, "%c", byte);
}

/* Escape as much as leaves room for the end (@end) or, where it is cut, for "..." and the end. */
static char *escape(char *out, size_t size, const char *text, size_t len, const char *end)
{
	size_t room = size - strlen(end) - 1, used = strlen(end), cut = used;
	char form[BYTE_MAX + 1];

	memcpy(out, end, used);
	for (size_t i = 0; i < len; i++) {
		escape_byte(form, (unsigned char)text[i], *end != '\0');
		if (used + strlen(form) > room) {
			used = cut + (size_t)sprintf(out + cut, "...");
			break;
		}
		memcpy(out + used, form, strlen(form));
		used += strlen(form);
		if (used + strlen("...") <= room)
			cut = used;
	}
	strcpy(out + used, end);
	return out;
}

char *escape_text(char *out, size_t size, const char *text, size_t len)
{
	return escape(out, size, text, len, "");
}

char *quote_text(char *out, size_t size, const char *text, size_t len)
{
	return escape(out, size, text, len, "\"");
}
