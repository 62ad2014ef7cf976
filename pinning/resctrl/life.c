// SPDX-License-Identifier: GPL-2.0-only
/* A VM's group from its making to its end, and what a killed supervisor has left of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/resctrl/internal.h"

struct recovery {
	int root;
	const char *state;
	unsigned int groups;
};

static int group_recover(void *ctx, const char *name)
{
	struct recovery *recovery = ctx;

	if (group_is_left(recovery->state, name) && !group_remove(recovery->root, name))
		recovery->groups++;
	return 0;
}

/* The lock is held. */
static int groups_recover(int root, const char *state, unsigned int *groups)
{
	struct recovery recovery = { .root = root, .state = state };

	groups_each(root, group_recover, &recovery);
	records_sweep(state);
	*groups = recovery.groups;
	return default_settle(root, state);
}

static int left_find(void *ctx, const char *name)
{
	return group_is_left(ctx, name);
}

/* Where resctrl isn't mounted, nothing of it is left: unmounting it ends all groups. */
int cache_recover(const char *host, const char *state, unsigned int *groups)
{
	int root = resctrl_open(host, NULL, NULL), lock, err = 0;

	*groups = 0;
	if (root < 0)
		return 0;
	/* nothing has to be locked to see it */
	if (records_exist(state) || groups_each(root, left_find, (void *)state)) {
		lock = cache_lock(state);
		err = lock < 0 ? lock : groups_recover(root, state, groups);
		fd_close(&lock);
	}
	close(root);
	return err;
}

/* In the order of the kernel's own checks: what it is to have is free before it is its own. */
static int group_fill(const struct cache_group *group)
{
	int err = default_settle(group->root, group->user.state);

	for (unsigned int i = 0; !err && i < group->lines.count; i++)
		err = group_set(group->root, group->name, &group->lines.lines[i]);
	if (!err && group->exclusive)
		err = group_exclude(group->root, group->name);
	return err;
}

/* The lock is held. The group first: what was lent is nobody's then. */
static void group_undo(struct cache_group *group)
{
	/* one that can't be removed keeps its record, and is found by the next */
	if (group_remove(group->root, group->name))
		return;
	cache_record_remove(group);
	default_settle(group->root, group->user.state);
}

static int group_take(struct cache_group *group)
{
	char text[256];
	int err = group_make(group->root, group->name);

	if (err) {
		cache_record_remove(group);
		return err;
	}
	err = group_fill(group);
	if (!err && !cache_evidence(group, NULL, 0, text, sizeof(text)))
		err = fail(-EIO, "resctrl: %s", text);
	if (err)
		group_undo(group);
	return err;
}

int cache_take(struct cache_group *group)
{
	unsigned int left;
	int lock, err;

	if (group->root < 0)
		return 0;
	lock = cache_lock(group->user.state);
	err = lock < 0 ? lock : groups_recover(group->root, group->user.state, &left);
	if (!err && left)
		note("resctrl: the groups of %u killed VM%s are gone", left, left == 1 ? "" : "s");
	if (!err)
		err = cache_record_make(group);
	if (!err)
		err = group_take(group);
	fd_close(&lock);
	return err;
}

int cache_add(const struct cache_group *group, pid_t tid)
{
	return group->record_fd < 0 ? 0 : group_add(group->root, group->name, tid);
}

void cache_give_back(struct cache_group *group)
{
	int lock;

	if (group->record_fd < 0)
		return;
	lock = cache_lock(group->user.state);
	group_undo(group);
	fd_close(&group->record_fd);
	fd_close(&lock);
}

void cache_close(struct cache_group *group)
{
	fd_close(&group->root);
}
