// SPDX-License-Identifier: GPL-2.0-only
/* What happened, in order, each with a number that is never used again: on disk before it is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/record.h"
#include "base/util.h"
#include "vmm/system/system.h"

#define EVENT_MAX    (RECORD_MAX - 64) /* bytes of its text */
#define EVENT_STRING 1024	       /* bytes of a member's, in one that is longer than that */

json_int_t events_first(const struct manager *manager)
{
	return manager->last_event - (json_int_t)json_array_size(manager->events) + 1;
}

static void event_keep(struct manager *manager, const char *text)
{
	json_array_append_new(manager->events, json_string(text));
	if (json_array_size(manager->events) > EVENTS_KEPT)
		json_array_remove(manager->events, 0);
}

static void time_now(char text[32])
{
	struct timespec now;
	struct tm utc;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, 32 - len, ".%03ldZ", now.tv_nsec / 1000000);
}

/* One that no record could have: without what is long in it, for which the next one isn't kept waiting. */
static char *event_text(json_t *event)
{
	char *text = json_dumps(event, JSON_COMPACT);
	json_t *value;
	const char *key;
	void *next;

	if (!text || strlen(text) < EVENT_MAX)
		return text;
	free(text);
	json_object_foreach_safe (event, next, key, value)
		if (json_is_array(value) || json_is_object(value) || json_string_length(value) > EVENT_STRING)
			json_object_del(event, key);
	json_object_set_new(event, "cut", json_true());
	return json_dumps(event, JSON_COMPACT);
}

/* The next event, in memory; takes @event. */
static void event_make(struct manager *manager, const char *type, const struct managed *vm, json_t *event)
{
	char time[32], *text;

	time_now(time);
	manager->last_event++;
	json_object_set_new(event, "id", json_integer(manager->last_event));
	json_object_set_new(event, "time", json_string(time));
	json_object_set_new(event, "type", json_string(type));
	if (vm)
		json_object_set_new(event, "vm", json_string(vm->name));
	text = event_text(event);
	json_decref(event);
	event_keep(manager, text ? text : "{}");
	free(text);
}

/* What isn't on the disk yet, as it had no room for it. What it takes stays, as whoever reads may have had it. */
static int events_store(struct manager *manager)
{
	json_int_t first = events_first(manager), id = MAX(manager->last_stored + 1, first);
	int err = 0;

	for (; !err && id <= manager->last_event; id++) {
		err = record_append(manager->events_fd,
				    json_string_value(json_array_get(manager->events, (size_t)(id - first))));
		if (!err)
			manager->last_stored = id;
	}
	if (fdatasync(manager->events_fd) && !err)
		err = -errno;
	return err;
}

void event_add(struct manager *manager, const char *type, const struct managed *vm, json_t *event)
{
	int err;

	event_make(manager, type, vm, event);
	err = events_store(manager);
	if (err)
		warn("events: \"%s/events\": event %lld: not written, and tried again: %s", manager->folders.state,
		     (long long)manager->last_event, strerror(-err));
	events_shorten(manager);
	streams_wake(manager);
}

int event_begin(struct manager *manager, const char *type, const struct managed *vm, json_t *event)
{
	int err;

	event_make(manager, type, vm, event);
	err = events_store(manager);
	if (err)
		fail(err, "events: \"%s/events\": %s", manager->folders.state, strerror(-err));
	if (manager->last_stored < manager->last_event) {
		json_array_remove(manager->events, json_array_size(manager->events) - 1);
		manager->last_event--;
	}
	events_shorten(manager);
	streams_wake(manager);
	return err;
}

void events_retry(struct manager *manager)
{
	if (manager->last_stored == manager->last_event || events_store(manager))
		return;
	note("events: \"%s/events\": all are written now", manager->folders.state);
	streams_wake(manager);
}

void events_skip(struct manager *manager, json_int_t id)
{
	if (id <= manager->last_event)
		return;
	json_array_clear(manager->events);
	manager->last_event = id;
	manager->last_stored = id;
}

/* What an older nohyped had told of a life isn't told again. */
static bool event_recall(void *context, const char *text)
{
	struct manager *manager = context;
	json_t *event = json_loads(text, 0, NULL);
	const char *name = json_string_value(json_object_get(event, "vm"));
	const char *type = json_string_value(json_object_get(event, "type")) ?: "";
	const char *boot = json_string_value(json_object_get(event, "boot"));
	json_int_t id = json_integer_value(json_object_get(event, "id"));
	struct managed *vm = name ? vm_find(manager, name) : NULL;

	if (id > manager->last_event) {
		/* the ids of those that are kept must have no holes */
		if (id != manager->last_event + 1)
			json_array_clear(manager->events);
		manager->last_event = id;
		event_keep(manager, text);
	}
	if (vm && strcmp(type, "deleted") == 0) {
		vm_forget(vm);
		vm->deleted = id;
	}
	if (vm)
		vm_restart_recall(vm, type, event);
	if (strcmp(type, "manager") == 0) {
		manager->rebooted = boot && strcmp(boot, manager->boot) != 0;
		/* it had decided on all that had ended before */
		for (unsigned int i = 0; i < manager->count; i++)
			manager->vms[i]->ended_now = false;
	}
	if (vm && strcmp(type, "start") == 0) {
		vm->state = "defined";
		vm->run = id;
		vm->told = 0;
		vm->unended = true;
	}
	if (vm && json_object_get(event, "seq")) {
		vm->run = json_integer_value(json_object_get(event, "run"));
		vm->told = json_integer_value(json_object_get(event, "seq"));
		vm->unended = strcmp(json_string_value(json_object_get(event, "state")) ?: "", "gone") != 0;
		if (!vm->unended) {
			json_decref(vm->end);
			vm->end = json_incref(event);
			vm->state = "gone";
		}
	}
	json_decref(event);
	return true;
}

static int events_read(struct manager *manager, const char *path)
{
	unsigned int bad = 0;
	off_t end = 0;
	int left = records_read(manager->events_fd, &end, &bad, event_recall, manager);

	if (left < 0)
		return fail(left, "events: \"%s\": can't be read: %s", path, strerror(-left));
	if (left) {
		/* a line that a crash cut: what follows must begin anew */
		warn("events: \"%s\": its last line is cut, and dropped", path);
		if (ftruncate(manager->events_fd, end))
			fail(-errno, "events: \"%s\": %s", path, strerror(errno));
	}
	if (bad)
		warn("events: \"%s\": %u lines were cut or altered, and are left out", path, bad);
	return 0;
}

static int boot_read(struct manager *manager)
{
	int err = boot_id_read(manager->boot, "");

	return err ? fail(err, "events: the host's boot_id: %s", strerror(-err)) : 0;
}

int events_open(struct manager *manager)
{
	char *path = path_make("%s/events", manager->folders.state);
	int err = path ? 0 : -ENOMEM;

	manager->events = json_array();
	manager->events_fd = path ? open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (path && manager->events_fd < 0)
		err = fail(-errno, "events: \"%s\": %s", path, strerror(errno));
	if (!err)
		err = boot_read(manager);
	if (!err)
		err = events_read(manager, path);
	free(path);
	manager->last_stored = manager->last_event;
	if (!err)
		events_skip(manager, positions_last(manager->folders.state));
	if (!err)
		events_shorten(manager);
	return err;
}
