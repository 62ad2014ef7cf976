// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "base/util.h"
#include "vmm/config/config.h"
#include "vmm/core/handoff.h"

static const char *const names[] = {
	[SEAL_AUDIT] = "audit",
	[SEAL_USERSPACE] = "userspace",
	[SEAL_STRICT] = "strict",
	[SEAL_SILENT] = "silent",
};

const char *seal_level_name(unsigned int level)
{
	return names[level];
}

unsigned int seal_level_find(const char *name)
{
	for (unsigned int level = SEAL_AUDIT; level < ARRAY_SIZE(names); level++)
		if (strcmp(names[level], name) == 0)
			return level;
	return 0;
}
