// SPDX-License-Identifier: GPL-2.0-only
#include "base/log.h"

#include <stdio.h>

static const char *const prefix[] = {
	[LOG_ERROR] = "nohype: error: ",
	[LOG_WARNING] = "nohype: warning: ",
	[LOG_NOTE] = "nohype: ",
};

void log_write(enum log_level level, const char *text)
{
	fprintf(stderr, "%s%s\n", prefix[level], text);
}
