// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "pinning/resctrl/resctrl.h"

struct unit {
	const char *text;
	enum share_kind kind;
	unsigned int max;
};

/* A whole number, then one of @units and nothing more. */
static int share_parse(const char *text, const struct unit *units, size_t count, struct share *share)
{
	size_t digits = strspn(text, "0123456789");
	unsigned int amount = 0;

	for (size_t i = 0; digits && i < count; i++) {
		if (strcmp(text + digits, units[i].text) != 0)
			continue;
		for (size_t at = 0; at < digits && amount <= units[i].max; at++)
			amount = amount * 10 + (unsigned int)(text[at] - '0');
		if (!amount || amount > units[i].max)
			return -ERANGE;
		*share = (struct share){ .kind = units[i].kind, .amount = amount };
		return 0;
	}
	return -EINVAL;
}

int share_parse_cache(const char *text, struct share *share)
{
	static const struct unit units[] = {
		{ " ways", SHARE_WAYS, SHARE_WAYS_MAX },
		{ " way", SHARE_WAYS, SHARE_WAYS_MAX },
		{ "%", SHARE_PERCENT, 100 },
	};

	return share_parse(text, units, ARRAY_SIZE(units), share);
}

int share_parse_bandwidth(const char *text, struct share *share)
{
	static const struct unit units[] = {
		{ "%", SHARE_PERCENT, 100 },
		{ "MB/s", SHARE_MBPS, SHARE_MBPS_MAX },
	};

	return share_parse(text, units, ARRAY_SIZE(units), share);
}

int bandwidth_value(const struct bandwidth_info *info, const struct share *share, unsigned int *value)
{
	unsigned int gran = MAX(info->gran, 1U);

	if (share->kind != SHARE_PERCENT && share->kind != SHARE_MBPS)
		return -EINVAL;
	if ((share->kind == SHARE_MBPS) != (info->mbps || info->eighths))
		return -ENOTSUP;
	/* Documentation/filesystems/resctrl.rst, "Memory bandwidth allocation on AMD": 1/8 GB/s */
	if (info->eighths) {
		*value = share->amount / 125;
		return *value ? 0 : -ERANGE;
	}
	if (info->mbps) {
		*value = share->amount;
		return 0;
	}
	if (share->amount < info->min)
		return -ERANGE;
	/* fs/resctrl/ctrlmondata.c, bw_validate(): what is between two steps becomes the higher one */
	*value = MIN((share->amount + gran - 1) / gran * gran, 100U);
	return 0;
}
