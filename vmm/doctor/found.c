// SPDX-License-Identifier: GPL-2.0-only
/* What was found, in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "vmm/doctor/internal.h"

void found(struct finding *finding, enum check_status status, const char *fmt, ...)
{
	char text[2 * FOUND_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	finding->status = status;
	escape_text(finding->found, sizeof(finding->found), text, strlen(text));
}

void found_unread(struct finding *finding, const char *path, int err)
{
	found(finding, CHECK_UNKNOWN, "%.160s: %s", path,
	      err == -EINVAL ? "not as the kernel writes it" : strerror(-err));
}

void name_add(struct names *names, const char *fmt, ...)
{
	size_t used = strlen(names->text);
	char name[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	names->count++;
	/* room for " and 1234567 more" stays */
	if (names->left_out || used + strlen(name) + 24 > sizeof(names->text))
		names->left_out++;
	else
		snprintf(names->text + used, sizeof(names->text) - used, "%s%s", used ? ", " : "", name);
}

const char *names_end(struct names *names)
{
	size_t used = strlen(names->text);

	if (names->left_out)
		snprintf(names->text + used, sizeof(names->text) - used, " and %u more", names->left_out);
	names->left_out = 0;
	return names->text;
}
