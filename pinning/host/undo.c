// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each value that is still what we made it becomes what it was. So undoing can be cut off anywhere, and be done again;
 * and it doesn't matter how far applying had come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/file.h"
#include "pinning/host/internal.h"

/* What the kernel makes of tasks' CPUs when a partition comes or goes. */
struct resets {
	struct cpus sets[4];
};

static void resets_read(struct resets *resets, const struct cpus *cores, const char *root)
{
	static const char *const files[] = { "possible", "online" };

	for (size_t i = 0; i < 2; i++) {
		char *path = text_make("%s/sys/devices/system/cpu/%s", root, files[i]);

		if (!path || cpus_read(&resets->sets[i], path))
			resets->sets[i] = (struct cpus){ 0 };
		cpus_without(&resets->sets[i + 2], &resets->sets[i], cores);
		free(path);
	}
}

static bool is_reset(const struct resets *resets, const char *list)
{
	struct cpus set;

	if (cpus_from_list(&set, list))
		return false;
	for (size_t i = 0; i < 4; i++)
		if (cpus_equal(&set, &resets->sets[i]))
			return true;
	return false;
}

static bool value_is_ours(const struct change *change, const char *found, const struct resets *resets)
{
	if (change->kind == CHANGE_TASK && is_reset(resets, found))
		return true;
	return strcmp(found, change->new) == 0;
}

static enum change_outcome value_left(const struct change *change, const char *found)
{
	if (change->flags & CHANGE_FOLLOWS)
		return OUTCOME_ALREADY;
	warn("host: %s: %s: was \"%s\", set to \"%s\", and is now \"%s\": someone else's, so it is left",
	     subject_name(change->subject), change->path, change->old, change->new, found);
	return OUTCOME_LEFT;
}

static enum change_outcome value_failed(const struct change *change, int err)
{
	if (err == -ENOENT || err == -ESRCH || err == -ENODEV)
		return OUTCOME_GONE;
	fail(err, "host: %s: %s: \"%s\" to be restored: %s", subject_name(change->subject), change->path, change->old,
	     strerror(-err));
	return OUTCOME_FAILED;
}

static enum change_outcome change_undo(const struct change *change, const struct resets *resets)
{
	enum change_outcome outcome;
	char *found;
	int err;

	if (change->flags & (CHANGE_GOES | CHANGE_REFUSED))
		return OUTCOME_ALREADY;
	found = change_read(change);
	if (!found)
		return value_failed(change, -errno);
	if (strcmp(found, change->old) == 0) {
		outcome = OUTCOME_ALREADY;
	} else if (!value_is_ours(change, found, resets)) {
		outcome = value_left(change, found);
	} else {
		err = change_write(change, change->old);
		outcome = err ? value_failed(change, err) : OUTCOME_DONE;
	}
	free(found);
	return outcome;
}

void changes_undo(const struct changes *changes, const struct cpus *cores, const char *root,
		  enum change_outcome *outcomes, size_t counts[OUTCOMES])
{
	struct resets resets;

	resets_read(&resets, cores, root);
	for (int tasks = 0; tasks < 2; tasks++) {
		for (size_t i = changes->count; i-- > 0;) {
			if ((changes->list[i].kind == CHANGE_TASK) != tasks)
				continue;
			outcomes[i] = change_undo(&changes->list[i], &resets);
			counts[outcomes[i]]++;
		}
	}
}

const char *changes_group(const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		if (changes->list[i].kind == CHANGE_FOLDER && changes->list[i].subject == SUBJECT_PARTITION)
			return changes->list[i].path;
	return NULL;
}

/* To the root group, which is the folder's own. */
static int group_empty(const char *group, const char *tids)
{
	char *procs = text_make("%s/../cgroup.procs", group), *end;
	int err = procs ? 0 : -ENOMEM;

	for (; !err && *tids; tids = end + (*end == '\n')) {
		char *tid = text_make("%lu", strtoul(tids, &end, 10));

		err = tid ? file_put(procs, tid) : -ENOMEM;
		free(tid);
		if (err == -ESRCH)
			err = 0; /* has ended, or came with one of its threads */
	}
	if (err)
		fail(err, "host: %s: its tasks: %s", group, strerror(-err));
	free(procs);
	return err;
}

static int group_check(const struct changes *changes, bool force)
{
	const char *group = changes_group(changes);
	char *path = group ? text_make("%s/cgroup.threads", group) : NULL, *tids = path ? file_get(path) : NULL;
	int err = 0;

	if (tids && *tids && !force)
		err = fail(-EBUSY,
			   "host: %s: task %lu is on these cores: end the VMs there, or use --force, which leaves them "
			   "running "
			   "among the host's",
			   group, strtoul(tids, NULL, 10));
	else if (tids)
		err = group_empty(group, tids);
	free(tids);
	free(path);
	return err;
}

/* Of another boot: what it tells of was gone with that. */
static int journal_get(struct journal *journal, const char *state, const char *root, bool force)
{
	int err = journal_read(journal, state, root);

	if (err == -ESTALE) {
		note("host: the journal in %s is of another boot, and its settings went with that: removed", state);
		journal_remove(state);
		return -ENOENT;
	}
	return err == -EBADMSG && force ? 0 : err;
}

int host_undo(struct undone *undone, const char *state, const char *root, bool force)
{
	struct cpus cores = { 0 };
	int err;

	*undone = (struct undone){ 0 };
	err = journal_get(&undone->journal, state, root, force);
	if (!err)
		err = group_check(&undone->journal.changes, force);
	if (err)
		return err;
	undone->outcomes = calloc(undone->journal.changes.count + 1, sizeof(*undone->outcomes));
	if (!undone->outcomes)
		return fail(-ENOMEM, "host: no memory to undo");
	if (undone->journal.cores)
		cpus_from_list(&cores, undone->journal.cores);
	changes_undo(&undone->journal.changes, &cores, root, undone->outcomes, undone->counts);
	if (undone->counts[OUTCOME_FAILED])
		return fail(-EIO, "host: not all could be restored: the journal stays, for nohype host undo");
	return journal_remove(state);
}

void undone_free(struct undone *undone)
{
	journal_free(&undone->journal);
	free(undone->outcomes);
	*undone = (struct undone){ 0 };
}
