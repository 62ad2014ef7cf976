// SPDX-License-Identifier: GPL-2.0-only
/*
 * STATE/events when it has grown long: a new file takes its place, with those that are kept, and before them what older
 * ones told of VMs, by lines of the number 0, which are for the next nohyped alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/record.h"
#include "base/replace.h"
#include "base/util.h"
#include "vmm/system/system.h"

#define EVENTS_BYTES MIB(8)

/* Takes @event. */
static int line_write(int fd, const struct managed *vm, const char *type, json_t *event)
{
	char *text;
	int err;

	json_object_set_new(event, "id", json_integer(0));
	json_object_set_new(event, "type", json_string(type));
	if (vm)
		json_object_set_new(event, "vm", json_string(vm->name));
	text = json_dumps(event, JSON_COMPACT);
	err = text ? record_append(fd, text) : -ENOMEM;
	json_decref(event);
	free(text);
	return err;
}

/* Which life it has, what was told of that, and its end. */
static int life_write(int fd, const struct managed *vm)
{
	json_t *event = strcmp(vm->state, "gone") == 0 && vm->end ? json_copy(vm->end) : json_object();

	json_object_set_new(event, "state", json_string(vm->state));
	json_object_set_new(event, "run", json_integer(vm->run));
	json_object_set_new(event, "seq", json_integer(vm->told));
	return line_write(fd, vm, "state", event);
}

/* An end that is the last line about its VM is one that nothing has followed yet. */
static int restart_write(int fd, const struct managed *vm)
{
	json_t *event = json_pack("{s:i}", "restarts", (int)vm->restarts);
	int64_t delay = (vm->restart_at - clock_now()) / 1000000;

	if (vm->restart_at)
		json_object_set_new(event, "delay_ms", json_integer(MAX(delay, 0)));
	return line_write(fd, vm, "restart", event);
}

static int vm_write(int fd, const struct managed *vm)
{
	int err = 0;

	if (vm->run == 0)
		return 0;
	if (vm->ended_now)
		err = restart_write(fd, vm);
	if (!err && vm->ordered)
		err = line_write(fd, vm, "stop", json_object());
	err = err ? err : life_write(fd, vm);
	return err || vm->ended_now ? err : restart_write(fd, vm);
}

static int events_write(const struct manager *manager, int fd)
{
	int err = line_write(fd, NULL, "manager", json_pack("{s:s}", "boot", manager->boot));
	const json_t *text;
	size_t i;

	for (unsigned int k = 0; k < manager->count && !err; k++)
		err = vm_write(fd, manager->vms[k]);
	json_array_foreach (manager->events, i, text)
		err = err ? err : record_append(fd, json_string_value(text));
	return err;
}

/* The fd of the new file, which has the old one's name. Negative errno; reports nothing but that it can't begin. */
static int file_renew(const struct manager *manager, const char *path)
{
	struct replacement replacement;
	int err = replace_open(&replacement, path, "events"), fd;
	FILE *file;

	if (err)
		return err;
	file = replace_begin(&replacement);
	fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 0) : -1;
	err = fd < 0 || fcntl(fd, F_SETFL, O_APPEND) ? -errno : events_write(manager, fd);
	if (!err)
		err = replace_commit(&replacement);
	replace_close(&replacement);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

void events_shorten(struct manager *manager)
{
	struct stat st;
	char *path;
	int fd;

	if (fstat(manager->events_fd, &st) || st.st_size < MAX(manager->events_full, (off_t)EVENTS_BYTES))
		return;
	path = path_make("%s/events", manager->folders.state);
	fd = path ? file_renew(manager, path) : -ENOMEM;
	if (fd >= 0) {
		close(manager->events_fd);
		manager->events_fd = fd;
		manager->last_stored = manager->last_event;
		fstat(fd, &st);
	} else {
		warn("events: \"%s/events\": has %llu MiB, and no shorter one can take its place: %s",
		     manager->folders.state, (unsigned long long)st.st_size >> 20, strerror(-fd));
	}
	manager->events_full = 2 * st.st_size; /* not at each one again, whether it is shorter or not */
	free(path);
}
