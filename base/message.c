// SPDX-License-Identifier: GPL-2.0-only
#include "base/log.h"

#include <stdio.h>

static void write_formatted(enum log_level level, const char *fmt, va_list ap)
{
	char text[LOG_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	log_write(level, text);
}

int vfail(int err, const char *fmt, va_list ap)
{
	write_formatted(LOG_ERROR, fmt, ap);
	return err;
}

int fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(err, fmt, ap);
	va_end(ap);
	return err;
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_formatted(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_formatted(LOG_NOTE, fmt, ap);
	va_end(ap);
}
