// SPDX-License-Identifier: GPL-2.0-only
#include "base/text_file.h"
#include "base/util.h"
#include "pinning/noise/internal.h"

#define TEXT_MAX MIB(16) /* /proc/interrupts of 1,024 cores and 1,000 lines */

int kernel_text(const char *path, char **text)
{
	ssize_t len = text_file_read(path, TEXT_MAX, "a table of the kernel's", "one", text);

	if (len < 0)
		return (int)len;
	(*text)[len] = '\0'; /* there is room: text_file_read() looked for one byte more than the most */
	return 0;
}
