// SPDX-License-Identifier: GPL-2.0-only
#include "pinning/host/task.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/file.h"

/* include/linux/sched.h; field 9 of /proc/PID/stat, the same numbers since 3.13. */
#define PF_KTHREAD	  0x00200000UL
#define PF_NO_SETAFFINITY 0x04000000UL

#define STAT_FLAGS 9 /* proc_pid_stat(5) */
#define STAT_START 22

static char *task_file(const char *path, const char *name)
{
	char *file = text_make("%s/%s", path, name), *text = file ? file_get(file) : NULL;

	free(file);
	if (!text && errno == ENOENT)
		errno = ESRCH;
	return text;
}

/* Field @number of /proc/PID/stat, whose 2nd is a name in parentheses that can hold anything. */
static uint64_t stat_field(const char *after_name, int number)
{
	for (int field = 2; *after_name && field < number; after_name++)
		field += *after_name == ' ';
	return strtoull(after_name, NULL, 10);
}

static int stat_parse(struct task *task, const char *stat)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	uint64_t flags;

	if (!open || !close || close < open)
		return -EINVAL;
	task->tid = atoi(stat);
	escape_text(task->name, sizeof(task->name), open + 1, (size_t)(close - open - 1));
	flags = stat_field(close + 1, STAT_FLAGS);
	task->kernel = flags & PF_KTHREAD;
	task->fixed = flags & PF_NO_SETAFFINITY;
	task->start = stat_field(close + 1, STAT_START);
	return 0;
}

/* Not sched_getaffinity(2): that leaves out CPUs that are offline just now. */
static int cpus_of_status(struct cpus *cpus, const char *status)
{
	static const char key[] = "\nCpus_allowed_list:\t";
	const char *line = strstr(status, key);

	return line ? cpus_from_list(cpus, line + sizeof(key) - 1) : -EINVAL;
}

int task_read(struct task *task, const char *path)
{
	char *stat = task_file(path, "stat"), *status = stat ? task_file(path, "status") : NULL;
	int err = stat && status ? stat_parse(task, stat) : errno ? -errno : -ESRCH;

	if (!err && status)
		err = cpus_of_status(&task->cpus, status);
	free(status);
	free(stat);
	return err;
}

bool task_is_irq(const struct task *task)
{
	return task->kernel && strncmp(task->name, "irq/", 4) == 0;
}

static int task_read_same(struct task *task, const char *path, uint64_t start)
{
	int err = task_read(task, path);

	return err ? err : task->start == start ? 0 : -ESRCH;
}

char *task_cpus_get(const char *path, uint64_t start)
{
	struct task task;
	int err = task_read_same(&task, path, start);

	errno = -err;
	return err ? NULL : cpus_to_list(&task.cpus);
}

int task_cpus_put(const char *path, uint64_t start, const char *list)
{
	struct task task;
	struct cpus cpus;
	int err = task_read_same(&task, path, start);

	if (!err)
		err = cpus_from_list(&cpus, list);
	if (err)
		return err;
	return sched_setaffinity(task.tid, sizeof(cpus), (const cpu_set_t *)&cpus) ? -errno : 0;
}

struct walk {
	const char *folder; /* of tasks: /proc/PID/task */
	int (*each)(void *context, const struct task *task);
	void *context;
};

static int walk_task(void *context, const char *name)
{
	const struct walk *walk = context;
	char *path = text_make("%s/%s", walk->folder, name);
	struct task task;
	int err = path ? task_read(&task, path) : -ENOMEM;

	free(path);
	if (err)
		return err == -ESRCH ? 0 : err;
	return walk->each(walk->context, &task);
}

static int walk_process(void *context, const char *name)
{
	struct walk inner = *(const struct walk *)context;
	char *folder;
	int result;

	if (!isdigit((unsigned char)*name))
		return 0;
	folder = text_make("%s/%s/task", inner.folder, name);
	inner.folder = folder;
	result = folder ? folder_each(folder, walk_task, &inner) : -ENOMEM;
	free(folder);
	return result == -ESRCH ? 0 : result;
}

int task_each(const char *proc, int (*each)(void *context, const struct task *task), void *context)
{
	struct walk walk = { proc, each, context };

	return folder_each(proc, walk_process, &walk);
}
