/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

/*
 * Messages to whoever started us. The place that knows most about an error reports it, once, and returns its
 * number; callers pass the number on and say nothing.
 *
 * Where a message goes is chosen when linking: the supervisor writes to standard error (base/log.c), the core
 * manager, which has none, sends it to the supervisor (vmm/core/log.c).
 */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTE };

#define LOG_TEXT_MAX 1024 /* bytes of one message, its terminating 0 included; longer ones are cut */

void log_write(enum log_level level, const char *text);

/* Report an error; returns @err (negative errno), so that `return fail(-EINVAL, ...)` reads in one line. */
int fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same with a va_list. */
int vfail(int err, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Something that the user should know and that stops nothing. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What happened, for the user who follows along. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
