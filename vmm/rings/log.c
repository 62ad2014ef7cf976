// SPDX-License-Identifier: GPL-2.0-only
#include "base/log.h"

#include <stdio.h>
#include <sys/socket.h>

#include "vmm/rings/process.h"

void log_write(enum log_level level, const char *text)
{
	struct rings_word word = { .type = RINGS_WORD_LOG, .level = level };

	snprintf(word.text, sizeof(word.text), "%s", text);
	word_write(&word);
}
