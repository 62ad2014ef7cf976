// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "base/util.h"
#include "pinning/resctrl/internal.h"

static unsigned int bits(uint64_t mask)
{
	return (unsigned int)__builtin_popcountll(mask);
}

/* @ways from bit 0 on, 1 to 64. */
static uint64_t run_of(unsigned int ways)
{
	return UINT64_MAX >> (SHARE_WAYS_MAX - ways);
}

int ways_count(const struct cache_info *info, const struct share *share, unsigned int *ways)
{
	unsigned int all = bits(info->cbm_mask), wanted;

	if (share->kind == SHARE_WAYS)
		wanted = share->amount;
	else if (share->kind == SHARE_PERCENT)
		wanted = (all * share->amount + 99) / 100;
	else
		return -EINVAL;
	wanted = MAX(wanted, MAX(info->min_bits, 1U));
	if (wanted > all)
		return -ERANGE;
	*ways = wanted;
	return 0;
}

static bool is_contiguous(uint64_t mask)
{
	uint64_t low = mask >> __builtin_ctzll(mask);

	return (low & (low + 1)) == 0;
}

int ways_check(const struct cache_info *info, uint64_t mask)
{
	if (mask & ~info->cbm_mask)
		return -ERANGE;
	if (!mask || bits(mask) < info->min_bits)
		return -ENODATA;
	return info->sparse || is_contiguous(mask) ? 0 : -EDOM;
}

int ways_place(const struct cache_info *info, uint64_t taken, unsigned int ways, uint64_t *mask)
{
	uint64_t found = 0, candidates = info->cbm_mask & ~taken;

	if (!ways)
		return -EINVAL;
	for (unsigned int shift = 0; ways <= SHARE_WAYS_MAX && shift <= SHARE_WAYS_MAX - ways; shift++) {
		uint64_t at = run_of(ways) << shift;

		if (at & ~candidates)
			continue;
		if (!found || bits(at & info->shareable) <= bits(found & info->shareable))
			found = at;
	}
	if (!found)
		return -ENOSPC;
	*mask = found;
	return 0;
}

uint64_t ways_longest(const struct cache_info *info, uint64_t ways)
{
	uint64_t longest = 0;

	if (info->sparse)
		return ways;
	while (ways) {
		uint64_t low = ways & -ways, run = ways & ~(ways + low);

		if (bits(run) > bits(longest))
			longest = run;
		ways &= ~run;
	}
	return longest;
}
