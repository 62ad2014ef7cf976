// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/file.h"
#include "pinning/host/internal.h"
#include "pinning/host/task.h"

/* A task that someone has moved since, but not to the cores, is no harm. */
static bool task_is_off(const char *found, const struct cpus *cores)
{
	struct cpus set;

	return !cpus_from_list(&set, found) && !cpus_meet(&set, cores);
}

static enum change_outcome change_status(const struct change *change, const char *found, const struct cpus *cores)
{
	if (change->flags & CHANGE_REFUSED)
		return OUTCOME_ALREADY;
	if (!found)
		return OUTCOME_GONE;
	if (change->flags & (CHANGE_ROUNDED | CHANGE_FOLLOWS) || strcmp(found, change->new) == 0)
		return OUTCOME_DONE;
	return change->kind == CHANGE_TASK && task_is_off(found, cores) ? OUTCOME_DONE : OUTCOME_LEFT;
}

struct look {
	struct host_status *status;
	struct cpus cores;
	char *group; /* as /proc/TID/cgroup ends if a task is in it */
};

static bool task_is_in(const struct look *look, const struct task *task)
{
	char *path = text_make("/proc/%d/cgroup", task->tid), *text = path ? file_get(path) : NULL;
	bool in = text && look->group && text_has_word(text, look->group);

	free(text);
	free(path);
	return in;
}

/*
 * The kernel's own thread of one CPU does nothing there but what that CPU is told to do; and an interrupt's goes to
 * where that is, the next time that it has to run.
 */
static int task_look(void *context, const struct task *task)
{
	struct look *look = context;
	bool within = cpus_within(&task->cpus, &look->cores);
	char *list;
	int err;

	if (!cpus_meet(&task->cpus, &look->cores) || (task->kernel && task->fixed && within) || task_is_irq(task))
		return 0;
	list = cpus_to_list(&task->cpus);
	if (!list)
		return fail(-ENOMEM, "host: no memory for the tasks");
	if (task_is_in(look, task) || (!task->kernel && within))
		err = lines_add(&look->status->guests, "%d %s (%s)", task->tid, task->name, list);
	else
		err = lines_add(task->fixed ? &look->status->fixed : &look->status->others, "%d %s (%s)", task->tid,
				task->name, list);
	free(list);
	return err;
}

static int values_read(struct host_status *status, const struct cpus *cores)
{
	const struct changes *changes = &status->journal.changes;

	status->outcomes = calloc(changes->count + 1, sizeof(*status->outcomes));
	status->found = calloc(changes->count + 1, sizeof(*status->found));
	if (!status->outcomes || !status->found)
		return fail(-ENOMEM, "host: no memory for the status");
	for (size_t i = 0; i < changes->count; i++) {
		status->found[i] = change_read(&changes->list[i]);
		status->outcomes[i] = change_status(&changes->list[i], status->found[i], cores);
		status->counts[status->outcomes[i]]++;
	}
	return 0;
}

int host_status(struct host_status *status, const char *state, const char *root)
{
	char *proc = text_make("%s/proc", root);
	struct look look = { .status = status };
	int err;

	*status = (struct host_status){ 0 };
	err = proc ? journal_read(&status->journal, state, root) : fail(-ENOMEM, "host: no memory for the status");
	if (!err)
		err = cpus_from_list(&look.cores, status->journal.cores);
	if (!err)
		err = values_read(status, &look.cores);
	look.group = changes_group(&status->journal.changes) ? strdup("0::/" GROUP) : NULL;
	if (!err)
		err = task_each(proc, task_look, &look);
	free(look.group);
	free(proc);
	return err == -ESTALE ? -ENOENT : err;
}

void host_status_free(struct host_status *status)
{
	for (size_t i = 0; status->found && i < status->journal.changes.count; i++)
		free(status->found[i]);
	free(status->found);
	free(status->outcomes);
	lines_free(&status->guests);
	lines_free(&status->others);
	lines_free(&status->fixed);
	journal_free(&status->journal);
	*status = (struct host_status){ 0 };
}
