// SPDX-License-Identifier: GPL-2.0-only
/* A VM's group of resctrl: made with its shares, read back, and removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/resctrl/resctrl.h"

#define LINE_MAX_BYTES 1024
#define STATUS_BYTES   512

/* What the kernel says of the last thing that it refused: ": ...", or "". */
static const char *status_text(int root, char text[STATUS_BYTES])
{
	char said[STATUS_BYTES - 2];
	int len = resctrl_read(root, "info/last_cmd_status", said, sizeof(said));

	text[0] = '\0';
	if (len <= 0 || strcmp(said, "ok\n") == 0)
		return text;
	said[strcspn(said, "\n")] = '\0';
	snprintf(text, STATUS_BYTES, ": %s", said);
	return text;
}

/* One write(2): the kernel takes it as a whole or refuses it. */
static int text_write(int root, const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t len;
	int err = 0;

	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	if (len < 0)
		err = -errno;
	else if ((size_t)len != strlen(text))
		err = -EIO;
	fd_close(&fd);
	return err;
}

static void path_make(char path[GROUP_PATH_MAX], const char *group, const char *file)
{
	snprintf(path, GROUP_PATH_MAX, "%s%s%s", group, *file ? "/" : "", file);
}

/* In messages. */
static const char *label(const char *group)
{
	return strcmp(group, ".") == 0 ? "the default group" : group;
}

int group_make(int root, const char *group)
{
	char status[STATUS_BYTES];
	int err;

	if (!mkdirat(root, group, 0755))
		return 0;
	err = -errno;
	if (err == -EEXIST)
		return fail(err,
			    "resctrl: %s: there is such a group already: another VM's of that name, or left by one "
			    "that was killed",
			    group);
	if (err == -ENOSPC)
		return fail(err,
			    "resctrl: %s: no group is left (as many as info/*/num_closids are there): wanted one "
			    "that can be removed%s",
			    group, status_text(root, status));
	return fail(err, "resctrl: make %s: %s%s", group, strerror(-err), status_text(root, status));
}

int group_remove(int root, const char *group)
{
	if (!unlinkat(root, group, AT_REMOVEDIR) || errno == ENOENT)
		return 0;
	return fail(-errno, "resctrl: remove %s: %s", group, strerror(errno));
}

int group_schemata(int root, const char *group, struct schemata *schemata)
{
	char path[GROUP_PATH_MAX], text[SCHEMATA_MAX];
	int err;

	path_make(path, group, "schemata");
	err = resctrl_read(root, path, text, sizeof(text));
	return err < 0 ? err : schemata_parse(text, schemata);
}

/* Is what was written there now? Other domains of the line are as they were. */
static int line_verify(int root, const char *group, const struct schemata_line *line)
{
	const struct schemata_line *there;
	struct schemata schemata;
	int err = group_schemata(root, group, &schemata);

	if (err)
		return fail(err, "resctrl: %s: read schemata back: %s", label(group), strerror(-err));
	there = schemata_find(&schemata, line->name);
	for (unsigned int i = 0; i < line->count; i++) {
		unsigned int j = 0;

		while (there && j < there->count && there->domains[j].id != line->domains[i].id)
			j++;
		if (!there || j == there->count || there->domains[j].value != line->domains[i].value)
			return fail(-EIO, "resctrl: %s: %s of domain %u was written, and is not there", label(group),
				    line->name, line->domains[i].id);
	}
	return 0;
}

int group_set(int root, const char *group, const struct schemata_line *line)
{
	char path[GROUP_PATH_MAX], text[LINE_MAX_BYTES], status[STATUS_BYTES];
	int err = schemata_format(line, text, sizeof(text));

	if (err < 0)
		return fail(err, "resctrl: %s: %s of %u domains is too long a line", group, line->name, line->count);
	path_make(path, group, "schemata");
	err = text_write(root, path, text);
	if (!err)
		return line_verify(root, group, line);
	text[strcspn(text, "\n")] = '\0';
	return fail(err, "resctrl: %s: the kernel refuses \"%s\": %s%s", label(group), text, strerror(-err),
		    status_text(root, status));
}

int group_exclude(int root, const char *group)
{
	char path[GROUP_PATH_MAX], status[STATUS_BYTES];
	int err;

	path_make(path, group, "mode");
	err = text_write(root, path, "exclusive\n");
	if (err)
		return fail(err, "resctrl: %s: make it exclusive: %s%s", group, strerror(-err),
			    status_text(root, status));
	return group_is_exclusive(root, group)
		       ? 0
		       : fail(-EIO, "resctrl: %s: \"exclusive\" was written, and is not there", group);
}

bool group_is_exclusive(int root, const char *group)
{
	char path[GROUP_PATH_MAX], text[STATUS_BYTES];

	path_make(path, group, "mode");
	return resctrl_read(root, path, text, sizeof(text)) > 0 && strcmp(text, "exclusive\n") == 0;
}

/* Is @tid a line of @text? */
static bool has_task(const char *text, pid_t tid)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (strtol(text, NULL, 10) == tid)
			return true;
		text += len + (text[len] == '\n');
	}
	return false;
}

/* A VM's threads, and what they have started: many groups have none, the default one thousands. */
#define TASKS_MAX 65536

bool group_has(int root, const char *group, pid_t tid)
{
	char path[GROUP_PATH_MAX], *text = malloc(TASKS_MAX);
	bool there;

	path_make(path, group, "tasks");
	there = text && resctrl_read(root, path, text, TASKS_MAX) >= 0 && has_task(text, tid);
	free(text);
	return there;
}

int group_add(int root, const char *group, pid_t tid)
{
	char path[GROUP_PATH_MAX], text[32], status[STATUS_BYTES];
	int err;

	path_make(path, group, "tasks");
	snprintf(text, sizeof(text), "%d\n", (int)tid);
	err = text_write(root, path, text);
	if (err)
		return fail(err, "resctrl: %s: take thread %d in: %s%s", group, (int)tid, strerror(-err),
			    status_text(root, status));
	return group_has(root, group, tid) ? 0 : fail(-ESRCH, "resctrl: %s: thread %d is not in it", group, (int)tid);
}
