// SPDX-License-Identifier: GPL-2.0-only
#include "pinning/host/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "pinning/host/cpus.h"
#include "base/file.h"
#include "pinning/host/task.h"

#define THERE  "there"
#define ABSENT "absent"

static const struct {
	const char *name, *why;
} subjects[SUBJECTS] = {
	[SUBJECT_TRACEPOINT] = { "tracepoint", "kept on, so that a VM's tripwire patches no code while other VMs run" },
	[SUBJECT_INTERRUPTS] = { "interrupts", "go to the host's cores, those of devices to come too" },
	[SUBJECT_WORKQUEUES] = { "workqueues", "work that may run anywhere runs on the host's cores" },
	[SUBJECT_WATCHDOG] = { "watchdog", "doesn't look after these cores" },
	[SUBJECT_NETWORK] = { "network", "packets are steered to the host's cores" },
	[SUBJECT_MACHINE_CHECKS] = { "machine checks", "no core is polled for corrected errors; interrupts still "
						       "tell them" },
	[SUBJECT_KHUGEPAGED] = { "khugepaged",
				 "makes no pages huge, for which it interrupts every core; page faults still do" },
	[SUBJECT_FAIR_SERVER] = { "fair server", "sets no timer on these cores" },
	[SUBJECT_FREQUENCY] = { "frequency", "these cores' doesn't change with the load" },
	[SUBJECT_IDLE] = { "idle states", "only those that are left within 2 us" },
	[SUBJECT_PARTITION] = { "partition", "takes the cores from the scheduler, for VMs alone" },
	[SUBJECT_TASKS] = { "tasks", "may run on the host's cores alone" },
};

const char *subject_name(enum subject subject)
{
	return subjects[subject].name;
}

const char *subject_why(enum subject subject)
{
	return subjects[subject].why;
}

static void change_free(struct change *change)
{
	free(change->path);
	free(change->old);
	free(change->new);
	free(change->detail);
}

int changes_add(struct changes *changes, const struct change *change)
{
	struct change copy = *change, *list = changes->list;

	if (copy.path && copy.old && copy.new &&copy.detail && changes->count == changes->room) {
		changes->room = MAX(2 * changes->room, 64);
		list = reallocarray(list, changes->room, sizeof(*list));
	}
	if (!copy.path || !copy.old || !copy.new || !copy.detail || !list) {
		change_free(&copy);
		return fail(-ENOMEM, "host: no memory for the list of settings");
	}
	changes->list = list;
	changes->list[changes->count++] = copy;
	return 0;
}

void changes_free(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		change_free(&changes->list[i]);
	free(changes->list);
	*changes = (struct changes){ 0 };
}

/* The kernel's spelling of CPUs, which has leading zeros and more, becomes ours; frees @text. */
static char *cpus_respell(char *text, int (*parse)(struct cpus *set, const char *text))
{
	struct cpus set;
	int err = text ? parse(&set, text) : -errno;

	free(text);
	errno = -err;
	return err ? NULL : cpus_to_list(&set);
}

/*
 * Where the kernel tells what was asked for from what came of it (workqueues since 6.9: cpumask_requested), a partition
 * changes the latter alone; what was asked for is what is written.
 */
static char *mask_get(const char *path)
{
	char *requested = text_make("%s_requested", path), *text;

	text = requested && file_is(requested) ? file_get(requested) : file_get(path);
	free(requested);
	return text;
}

static char *number_get(const char *path)
{
	char *text = file_get(path), *end, *number;

	if (!text)
		return NULL;
	errno = 0;
	number = text_make("%llu", strtoull(text, &end, 0));
	if (errno || *end || !*text) {
		free(number);
		number = NULL;
		errno = EINVAL;
	}
	free(text);
	return number;
}

/* The word that comes and goes. */
static const char *change_word(const struct change *change)
{
	return *change->new ? change->new : change->old;
}

static char *word_get(const struct change *change)
{
	char *text = file_get(change->path), *word;

	if (!text)
		return NULL;
	word = strdup(text_has_word(text, change_word(change)) ? change_word(change) : "");
	free(text);
	return word;
}

char *change_read(const struct change *change)
{
	switch (change->kind) {
	case CHANGE_NUMBER:
		return number_get(change->path);
	case CHANGE_LIST:
		return cpus_respell(file_get(change->path), cpus_from_list);
	case CHANGE_MASK:
		return cpus_respell(mask_get(change->path), cpus_from_mask);
	case CHANGE_WORD:
		return word_get(change);
	case CHANGE_FOLDER:
		return strdup(file_is(change->path) ? THERE : ABSENT);
	case CHANGE_TASK:
		return task_cpus_get(change->path, change->start);
	default:
		return file_get(change->path);
	}
}

/* @text is freed. No value at all is written as an empty line: write(2) of nothing does nothing. */
static int text_put(const char *path, char *text)
{
	int err = text ? file_put(path, *text ? text : "\n") : -ENOMEM;

	free(text);
	return err;
}

static char *mask_of(const char *list)
{
	struct cpus set;

	return cpus_from_list(&set, list) ? NULL : cpus_to_mask(&set);
}

static int folder_put(const char *path, bool there)
{
	return (there ? mkdir(path, 0755) : rmdir(path)) ? -errno : 0;
}

int change_write(const struct change *change, const char *value)
{
	switch (change->kind) {
	case CHANGE_MASK:
		return text_put(change->path, mask_of(value));
	case CHANGE_WORD:
		return text_put(change->path, text_make("%c%s", *value ? '+' : '-', change_word(change)));
	case CHANGE_FOLDER:
		return folder_put(change->path, strcmp(value, THERE) == 0);
	case CHANGE_TASK:
		return task_cpus_put(change->path, change->start, value);
	default:
		return text_put(change->path, strdup(value));
	}
}
