// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tasks' own CPUs. Making a partition, and ending it, sets them anew for all tasks that the kernel doesn't keep at
 * their place: of kernel threads, and before Linux 6.2 of all, it forgets what they were pinned to (seen: 6.1, 6.12).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/file.h"
#include "pinning/host/internal.h"
#include "pinning/host/task.h"

/* A process that runs on these cores alone was put there: perhaps a VM. */
static int task_in_use(const struct host *host, const struct task *task)
{
	char *list;

	if (task->kernel || cpus_empty(&task->cpus) || !cpus_within(&task->cpus, &host->cores))
		return 0;
	list = cpus_to_list(&task->cpus);
	fail(-EBUSY, "host: cores: %s: task %d (%s) is pinned there: end it, or move it away", list ? list : "these",
	     task->tid, task->name);
	free(list);
	return -EBUSY;
}

static int task_add(struct host *host, const struct task *task, unsigned int flags, const struct cpus *new)
{
	const struct change change = { .kind = CHANGE_TASK,
				       .subject = SUBJECT_TASKS,
				       .flags = flags,
				       .start = task->start,
				       .path = host_path(host, "/proc/%d", task->tid),
				       .old = cpus_to_list(&task->cpus),
				       .new = cpus_to_list(new),
				       .detail = strdup(task->name) };

	return changes_add(&host->changes, &change);
}

/* What nobody has pinned, the partition moves away and its end brings back. */
static int plan_task(void *context, const struct task *task)
{
	struct host *host = context;
	struct cpus new;
	int err = task_in_use(host, task);

	if (err || task->fixed ||
	    (cpus_equal(&host->partition, &host->cores) && cpus_equal(&task->cpus, &host->possible)))
		return err;
	if (task_is_irq(task))
		return task_add(host, task, CHANGE_FOLLOWS, &task->cpus);
	if (cpus_empty(&host->partition) && !cpus_meet(&task->cpus, &host->cores))
		return 0;
	cpus_without(&new, &task->cpus, &host->cores);
	return task_add(host, task, 0, cpus_empty(&new) ? &host->rest : &new);
}

int plan_tasks(struct host *host)
{
	char *proc = host_path(host, "/proc");
	int err = proc ? task_each(proc, plan_task, host) : -ENOMEM;

	free(proc);
	return err;
}
