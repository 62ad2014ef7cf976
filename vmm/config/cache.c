// SPDX-License-Identifier: GPL-2.0-only
/* Shares of caches and memory bandwidth. */
#include <errno.h>

#include "base/log.h"
#include "vmm/config/parse.h"

typedef int share_parse_fn(const char *text, struct share *share);

static int set_share(struct share *share, share_parse_fn *parse, const char *most, const json_t *value,
		     const struct place *at)
{
	const char *text = string_get(value, at);
	struct share found;
	int err;

	if (!text)
		return -EINVAL;
	err = parse(text, &found);
	if (err == -ERANGE)
		return complain(at, value, "wanted %s", most);
	if (err)
		return refuse(at, value);
	*share = found;
	return 0;
}

#define CACHE_MOST     "1 to 64 ways, or 1% to 100%"
#define BANDWIDTH_MOST "1% to 100%, or 1MB/s to 10000000MB/s"

int set_l3(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_share(&cfg->cache.l3, share_parse_cache, CACHE_MOST, value, at);
}

int set_l2(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_share(&cfg->cache.l2, share_parse_cache, CACHE_MOST, value, at);
}

int set_memory_bandwidth(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_share(&cfg->cache.bandwidth, share_parse_bandwidth, BANDWIDTH_MOST, value, at);
}

int set_cache_exclusive(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	if (!json_is_boolean(value))
		return refuse(at, value);
	cfg->cache.exclusive = json_is_true(value);
	return 0;
}

int cache_agrees(const struct vm_config *cfg, const char *where)
{
	if (!cfg->cache.exclusive || cfg->cache.l3.kind || cfg->cache.l2.kind)
		return 0;
	return fail(-EINVAL, "%s: cache_exclusive: true: wanted l3 or l2 too, whose ways it is about", where);
}
