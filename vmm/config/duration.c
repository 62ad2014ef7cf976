// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "vmm/config/config.h"

#define WEEK (UINT64_C(7) * 24 * 60 * 60 * 1000) /* ms */

int duration_parse(const char *text, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 } };
	size_t digits = strspn(text, "0123456789");
	uint64_t value = 0;

	if (digits == 0 || digits > 9) /* 999,999,999 ms are more than a week */
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		*ms = value * units[i].ms;
		return *ms >= 1 && *ms <= WEEK ? 0 : -EINVAL;
	}
	return -EINVAL;
}
