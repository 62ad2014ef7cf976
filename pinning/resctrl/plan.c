// SPDX-License-Identifier: GPL-2.0-only
/* Which ways and how much bandwidth a VM will have. Nothing is changed yet: others may refuse it what it wants. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/resctrl/internal.h"

struct plan {
	struct cache_group *group;
	const struct cache_wanted *wanted;
	struct claims *claims;
	struct schemata host; /* the default group's: which caches there are */
};

static int line_add(struct schemata *lines, const char *name, unsigned int id, uint64_t value)
{
	struct schemata_line *line = (struct schemata_line *)schemata_find(lines, name);

	if (!line && lines->count < SCHEMATA_LINES_MAX) {
		line = &lines->lines[lines->count++];
		*line = (struct schemata_line){ 0 };
		snprintf(line->name, sizeof(line->name), "%s", name);
	}
	if (!line || line->count == SCHEMATA_DOMAINS_MAX)
		return fail(-E2BIG, "resctrl: more caches than nohype can take");
	line->domains[line->count++] = (struct schemata_domain){ id, value };
	return 0;
}

/* --- what others have --- */

static void way_name(char what[CLAIM_WHAT_MAX], const struct cache_level *level, unsigned int id, unsigned int way)
{
	snprintf(what, CLAIM_WHAT_MAX, "%s %u way %u", level->key, id, way);
}

static uint64_t ways_claimed(const struct claims *claims, const struct cache_level *level, unsigned int id)
{
	char what[CLAIM_WHAT_MAX];
	uint64_t ways = 0;

	for (unsigned int way = 0; way < SHARE_WAYS_MAX; way++) {
		way_name(what, level, id, way);
		if (claims_find(&claims->others, what, NULL))
			ways |= UINT64_C(1) << way;
	}
	return ways;
}

/* What groups hold of a cache, but those that the dead have left. */
struct others {
	const struct cache_group *group;
	const struct cache_level *level;
	unsigned int id;
	uint64_t ways;
	char name[GROUP_PATH_MAX]; /* of one */
};

static int other_add(void *ctx, const char *name)
{
	struct others *others = ctx;
	struct schemata schemata;

	if (group_is_left(others->group->user.state, name) || group_schemata(others->group->root, name, &schemata))
		return 0;
	if (schemata_ways(&schemata, others->level->line, others->id, &others->ways))
		snprintf(others->name, sizeof(others->name), "%.*s", GROUP_PATH_MAX - 1, name);
	return 0;
}

/* --- ways --- */

static const struct share *share_of(const struct plan *plan, const struct cache_level *level)
{
	return level->number == 3 ? &plan->wanted->l3 : &plan->wanted->l2;
}

static int share_text(const struct share *share, char text[32])
{
	return snprintf(text, 32, "%u%s", share->amount,
			share->kind == SHARE_PERCENT ? "%"
			: share->kind == SHARE_MBPS  ? "MB/s"
			: share->amount == 1	     ? " way"
						     : " ways");
}

/* Who has what is in the way: the claim of a VM, or another group. */
static int too_few(const struct plan *plan, const struct others *others, unsigned int ways)
{
	const struct claim_holder *holder;
	char what[CLAIM_WHAT_MAX];

	for (unsigned int way = SHARE_WAYS_MAX; way-- > 0;) {
		way_name(what, others->level, others->id, way);
		holder = claims_find(&plan->claims->others, what, NULL);
		if (holder)
			return fail(
				-EBUSY,
				"%s: %u ways: cache %u hasn't as many left in one piece, with some for the host: %s "
				"is promised to VM \"%s\" (process %d of user %u)",
				others->level->key, ways, others->id, what, holder->vm, (int)holder->pid,
				(unsigned int)holder->uid);
	}
	if (*others->name)
		return fail(
			-EBUSY,
			"%s: %u ways: cache %u hasn't as many left in one piece, with some for the host: other groups "
			"of resctrl have ways %" PRIx64 ", \"%s\" among them: make them smaller, or ask for less",
			others->level->key, ways, others->id, others->ways, others->name);
	return fail(-ENOSPC, "%s: %u ways: cache %u can't give as many: some must be the host's%s", others->level->key,
		    ways, others->id,
		    plan->group->exclusive ? ", and those that devices fill too can't be had exclusively" : "");
}

static int ways_claim(struct plan *plan, const struct cache_level *level, unsigned int id, uint64_t mask)
{
	int err = 0;

	for (unsigned int way = 0; !err && way < SHARE_WAYS_MAX; way++) {
		struct claim claim = { .mode = CLAIM_ALONE };

		if (!(mask >> way & 1))
			continue;
		way_name(claim.what, level, id, way);
		err = claims_add(plan->claims, &claim, level->key);
	}
	return err;
}

/* All halves of the level's line alike: a promise of ways is one of both code and data. */
static int halves_add(struct plan *plan, const struct cache_level *level, unsigned int id, uint64_t mask)
{
	char name[SCHEMATA_NAME_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < CACHE_HALVES; i++) {
		snprintf(name, sizeof(name), "%s%s", level->line, cache_halves[i]);
		if (schemata_find(&plan->host, name))
			err = line_add(&plan->group->lines, name, id, mask);
	}
	return err;
}

/* @ways of one cache for the group alone. */
static int ways_take(struct plan *plan, const struct cache_level *level, const struct cache_info *info, unsigned int id,
		     unsigned int ways)
{
	const struct cache_group *group = plan->group;
	struct others others = { .group = group, .level = level, .id = id };
	uint64_t mask = 0, taken;
	char name[SCHEMATA_NAME_MAX];
	int err = 0;

	groups_each(group->root, other_add, &others);
	taken = others.ways | ways_claimed(plan->claims, level, id) | (group->exclusive ? info->shareable : 0);
	if (ways_place(info, taken, ways, &mask))
		return too_few(plan, &others, ways);
	for (size_t i = 0; i < CACHE_HALVES; i++) {
		snprintf(name, sizeof(name), "%s%s", level->line, cache_halves[i]);
		if (schemata_find(&plan->host, name) &&
		    !default_can_spare(group->root, group->user.state, name, id, mask))
			return too_few(plan, &others, ways);
	}
	err = ways_claim(plan, level, id, mask);
	return err ? err : halves_add(plan, level, id, mask);
}

/*
 * Of caches that aren't the VM's, its group keeps as little as it may, of those ways that are the host's to the last:
 * so it is in the way of no other VM there.
 */
static int cache_plan_one(struct plan *plan, const struct cache_level *level, const struct cache_info *info,
			  unsigned int id, unsigned int ways)
{
	unsigned int least = MAX(info->min_bits, 1U);
	bool own = caches_have(group_caches(plan->group, level->number), id);
	uint64_t low = 0;

	if (own && !ways)
		return 0;
	if (own || plan->group->exclusive)
		return ways_take(plan, level, info, id, own ? ways : least);
	for (unsigned int way = 0, count = 0; way < SHARE_WAYS_MAX && count < least; way++)
		if (info->cbm_mask >> way & 1) {
			low |= UINT64_C(1) << way;
			count++;
		}
	return halves_add(plan, level, id, low);
}

static int level_count(const struct plan *plan, const struct cache_level *level, const struct cache_info *info,
		       unsigned int *ways)
{
	const struct share *share = share_of(plan, level);
	char text[32];
	int err;

	*ways = 0;
	if (share->kind == SHARE_NONE && plan->group->exclusive)
		return fail(-ENOTSUP,
			    "cache_exclusive: this host shares out its %s too, of which the kernel wants a part to be "
			    "exclusive as well: wanted %s",
			    level->line, level->key);
	err = share->kind == SHARE_NONE ? 0 : ways_count(info, share, ways);
	share_text(share, text);
	return err ? fail(err, "%s: %s: this host's %s has %d ways", level->key, text, level->line,
			  __builtin_popcountll(info->cbm_mask))
		   : 0;
}

static int level_lacks(const struct plan *plan, const struct cache_level *level, int err)
{
	if (share_of(plan, level)->kind == SHARE_NONE)
		return 0;
	return fail(-ENOTSUP, "%s: this host's %s can't be shared out (resctrl's info/%s: %s): leave it out",
		    level->key, level->line, level->line, strerror(-err));
}

/* Every cache of the cores' must be one that @line tells of. */
static int caches_check(const struct cache_set *set, const struct schemata_line *line, const char *key)
{
	for (unsigned int i = 0; i < set->count; i++) {
		unsigned int j = 0;

		while (j < line->count && line->domains[j].id != set->ids[i])
			j++;
		if (j == line->count)
			return fail(-ENOTSUP,
				    "%s: cache %u, which the VM's cores use, isn't among those that resctrl shares out",
				    key, set->ids[i]);
	}
	return 0;
}

static int level_plan(struct plan *plan, const struct cache_level *level)
{
	const struct schemata_line *line = NULL;
	struct cache_info info;
	char name[SCHEMATA_NAME_MAX];
	unsigned int ways;
	int err = level_info_read(plan->group->root, level, &info);

	for (size_t i = 0; !line && i < CACHE_HALVES; i++) {
		snprintf(name, sizeof(name), "%s%s", level->line, cache_halves[i]);
		line = schemata_find(&plan->host, name);
	}
	if (err || !line)
		return level_lacks(plan, level, err ? err : -ENOENT);
	err = level_count(plan, level, &info, &ways);
	if (!err && ways)
		err = caches_check(group_caches(plan->group, level->number), line, level->key);
	for (unsigned int i = 0; !err && i < line->count; i++)
		err = cache_plan_one(plan, level, &info, line->domains[i].id, ways);
	return err;
}

/* --- bandwidth --- */

static int bandwidth_refuse(const struct plan *plan, const struct bandwidth_info *info, int err)
{
	char text[32];

	share_text(&plan->wanted->bandwidth, text);
	if (err == -ENOTSUP && info->mbps)
		return fail(err,
			    "memory_bandwidth: %s: resctrl is mounted with mba_MBps here: wanted MB/s, as \"500MB/s\"",
			    text);
	if (err == -ENOTSUP)
		return info->eighths ? fail(err,
					    "memory_bandwidth: %s: this processor counts it: wanted MB/s, as "
					    "\"500MB/s\"",
					    text)
				     : fail(err,
					    "memory_bandwidth: %s: resctrl counts MB/s only if it is mounted with "
					    "mba_MBps: wanted a percentage, as \"20%%\"",
					    text);
	if (info->eighths)
		return fail(err, "memory_bandwidth: %s: this processor's least is 125MB/s", text);
	return fail(err, "memory_bandwidth: %s: this processor's least is %u%%", text, info->min);
}

static int bandwidth_add(struct plan *plan, const struct bandwidth_info *info, unsigned int id, unsigned int value)
{
	struct claim claim = { .mode = CLAIM_PART, .amount = value };
	int err;

	/* how much there is is known where it is counted in percent */
	claim.limit = info->mbps || info->eighths ? UINT64_MAX : 100;
	snprintf(claim.what, sizeof(claim.what), "bandwidth %u", id);
	snprintf(claim.note, sizeof(claim.note), "%s", info->mbps ? "MB/s" : info->eighths ? "1/8 GB/s" : "percent");
	err = claims_add(plan->claims, &claim, "memory_bandwidth");
	return err ? err : line_add(&plan->group->lines, "MB", id, value);
}

static int bandwidth_plan(struct plan *plan, bool mbps)
{
	struct bandwidth_info info = { .mbps = mbps };
	const struct schemata_line *line = schemata_find(&plan->host, "MB");
	unsigned int value = 0;
	int err;

	if (plan->wanted->bandwidth.kind == SHARE_NONE)
		return 0;
	err = line ? bandwidth_info_read(plan->group->root, &info) : -ENOENT;
	if (err)
		return fail(-ENOTSUP,
			    "memory_bandwidth: this host's can't be shared out (resctrl's info/MB: %s): leave it out",
			    strerror(-err));
	err = bandwidth_value(&info, &plan->wanted->bandwidth, &value);
	if (err)
		return bandwidth_refuse(plan, &info, err);
	err = caches_check(&plan->group->l3, line, "memory_bandwidth");
	for (unsigned int i = 0; !err && i < line->count; i++)
		if (caches_have(&plan->group->l3, line->domains[i].id))
			err = bandwidth_add(plan, &info, line->domains[i].id, value);
	return err;
}

/* --- all of it --- */

static const char *key_of(const struct cache_wanted *wanted)
{
	return wanted->l3.kind ? "l3" : wanted->l2.kind ? "l2" : "memory_bandwidth";
}

static int mount_lacks(const struct cache_wanted *wanted, const char *host, int err)
{
	const char *key = key_of(wanted);

	if (err != -ENOENT)
		return fail(err, "%s: resctrl: %s: wanted root", key, strerror(-err));
	if (resctrl_is_had(host))
		return fail(-ENOTSUP, "%s: resctrl isn't mounted: wanted it (mount -t resctrl resctrl /sys/fs/resctrl)",
			    key);
	return fail(
		-ENOTSUP,
		"%s: this host has no resctrl (/sys/fs/resctrl isn't there): its processor or kernel can't share out "
		"caches and bandwidth: leave it out",
		key);
}

/* Bandwidth is shared out by the caches of level 3. */
static int caches_find(struct plan *plan)
{
	struct cache_group *group = plan->group;
	int err3 = caches_of(&group->user, 3, &group->l3), err2 = caches_of(&group->user, 2, &group->l2);

	if (err3 && (plan->wanted->l3.kind || plan->wanted->bandwidth.kind))
		return fail(-ENOTSUP, "%s: which L3 cache these cores use isn't known: %s",
			    plan->wanted->l3.kind ? "l3" : "memory_bandwidth", strerror(-err3));
	if (err2 && plan->wanted->l2.kind)
		return fail(-ENOTSUP, "l2: which L2 cache these cores use isn't known: %s", strerror(-err2));
	return 0;
}

static int groups_plan(struct plan *plan, bool mbps)
{
	int err = group_schemata(plan->group->root, ".", &plan->host);

	if (err)
		return fail(err, "%s: resctrl's schemata: %s", key_of(plan->wanted), strerror(-err));
	err = caches_find(plan);
	for (size_t i = 0; !err && i < ARRAY_SIZE(cache_levels); i++)
		err = level_plan(plan, &cache_levels[i]);
	return err ? err : bandwidth_plan(plan, mbps);
}

int cache_plan(struct cache_group *group, const struct cache_wanted *wanted, const struct cache_user *user,
	       struct claims *claims)
{
	struct plan plan = { .group = group, .wanted = wanted, .claims = claims };
	bool mbps = false;
	int root;

	*group = CACHE_GROUP_NONE;
	if (!wanted->l3.kind && !wanted->l2.kind && !wanted->bandwidth.kind)
		return 0;
	root = resctrl_open(user->host, &mbps, &group->simulated);
	if (root < 0)
		return mount_lacks(wanted, user->host, root);
	group->root = root;
	group->user = *user;
	group->exclusive = wanted->exclusive;
	snprintf(group->name, sizeof(group->name), GROUP_PREFIX "%s", user->vm);
	return groups_plan(&plan, mbps);
}
