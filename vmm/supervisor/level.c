// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/seal.h"

const char *seal_level_name(enum seal_level level)
{
	static const char *const names[] = {
		[SEAL_AUDIT] = "audit",
		[SEAL_USERSPACE] = "userspace",
		[SEAL_STRICT] = "strict",
		[SEAL_SILENT] = "silent",
	};

	return names[level];
}
