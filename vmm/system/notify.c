// SPDX-License-Identifier: GPL-2.0-only
/* The process of one target: reads on in the events, and goes on to the next when one was taken. */
#include "vmm/system/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/record.h"
#include "base/util.h"

#define LOOK_MS	       5000
#define EVENTS_WATCHED (IN_MODIFY | IN_ATTRIB) /* IN_ATTRIB: another file has its name */
#define WAIT_MIN       250		       /* ms, doubled each time */
#define WAIT_MAX       30000		       /* ms */

#define POSITION_MAX (INT64_C(1) << 53) /* a JSON number that every reader has exactly */

struct reader {
	const struct target *target;
	int events, watch, position;
	off_t at;
	json_int_t last;
};

/* The number of the last event that was taken; -1: none ever was, or none that can have been. */
static json_int_t position_read(int fd)
{
	char text[32] = "", *end;
	long long last = pread(fd, text, sizeof(text) - 1, 0) > 0 ? strtoll(text, &end, 10) : -1;

	return last >= 0 && last < POSITION_MAX ? last : -1;
}

struct positions {
	const char *folder;
	json_int_t last;
};

static int position_take(void *context, const char *name)
{
	struct positions *positions = context;
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", positions->folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	positions->last = MAX(positions->last, fd < 0 ? -1 : position_read(fd));
	fd_close(&fd);
	return 0;
}

json_int_t positions_last(const char *state)
{
	char folder[4096];
	struct positions positions = { .folder = folder };

	snprintf(folder, sizeof(folder), "%s/notify", state);
	folder_each(folder, position_take, &positions);
	return positions.last;
}

static void position_write(const struct reader *reader)
{
	char text[32];

	/* of one length, so that it is the old or the new, whole */
	snprintf(text, sizeof(text), "%020lld\n", (long long)reader->last);
	if (pwrite(reader->position, text, strlen(text), 0) < 0 || fdatasync(reader->position))
		warn("notify \"%s\": what was taken can't be kept, and may come twice: %s", reader->target->name,
		     strerror(errno));
}

/* Until it is taken. */
static void event_deliver(const struct reader *reader, const char *event, json_int_t id)
{
	char why[256] = "";
	int wait = WAIT_MIN;

	while (target_send(reader->target, event, id, why, sizeof(why))) {
		if (wait == WAIT_MIN)
			warn("notify \"%s\": event %lld: %s; it is tried again", reader->target->name, (long long)id,
			     why);
		poll(NULL, 0, wait);
		wait = MIN(wait * 2, WAIT_MAX);
	}
	if (wait != WAIT_MIN)
		note("notify \"%s\": event %lld was taken", reader->target->name, (long long)id);
}

static bool event_take(void *context, const char *event)
{
	struct reader *reader = context;
	json_t *json = json_loads(event, 0, NULL);
	json_int_t id = json_integer_value(json_object_get(json, "id"));

	json_decref(json);
	if (id <= reader->last)
		return true;
	if (reader->last >= 0 && id > reader->last + 1)
		warn("notify \"%s\": events %lld to %lld are not kept any more", reader->target->name,
		     (long long)reader->last + 1, (long long)id - 1);
	event_deliver(reader, event, id);
	reader->last = id;
	position_write(reader);
	return true;
}

static void events_read_on(struct reader *reader)
{
	unsigned int bad = 0;
	struct stat st;

	/* what didn't get to the disk was taken back; what was had of it already is told by the numbers */
	if (!fstat(reader->events, &st) && st.st_size < reader->at)
		reader->at = 0;
	records_read(reader->events, &reader->at, &bad, event_take, reader);
}

/* Once more when it was read to its end and another has its name: what of that was read is told by the numbers. */
static void events_follow(struct reader *reader, const char *state)
{
	struct stat st;
	char path[4096];
	int fd;

	events_read_on(reader);
	if (fstat(reader->events, &st) || st.st_nlink > 0)
		return;
	snprintf(path, sizeof(path), "%s/events", state);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	inotify_add_watch(reader->watch, path, EVENTS_WATCHED);
	close(reader->events);
	reader->events = fd;
	reader->at = 0;
	events_read_on(reader);
}

static int reader_open(struct reader *reader, const char *state, json_int_t last)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/events", state);
	reader->events = open(path, O_RDONLY | O_CLOEXEC);
	reader->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (reader->watch >= 0)
		inotify_add_watch(reader->watch, path, EVENTS_WATCHED);
	snprintf(path, sizeof(path), "%s/notify", state);
	if (mkdir(path, 0700) && errno != EEXIST)
		return fail(-errno, "\"%s\": %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/notify/%s", state, reader->target->name);
	reader->position = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* an older nohyped's may be about to end */
	if (reader->events < 0 || reader->watch < 0 || reader->position < 0 || flock(reader->position, LOCK_EX))
		return fail(-errno, "notify \"%s\": %s", reader->target->name, strerror(errno));
	reader->last = position_read(reader->position);
	if (reader->last < 0) {
		reader->last = last;
		position_write(reader);
	}
	return 0;
}

static void target_serve(const struct target *target, const char *state, json_int_t last, pid_t manager)
{
	struct reader reader = { .target = target };
	struct pollfd watch;
	char events[4096];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != manager || syscall(SYS_close_range, 3U, ~0U, 0) || reader_open(&reader, state, last))
		_exit(1);
	watch = (struct pollfd){ .fd = reader.watch, .events = POLLIN };
	for (;;) {
		events_follow(&reader, state);
		poll(&watch, 1, LOOK_MS);
		while (read(reader.watch, events, sizeof(events)) > 0)
			;
	}
}

void targets_run(struct targets *targets, const char *state, json_int_t last)
{
	pid_t manager = getpid();

	for (unsigned int i = 0; i < targets->count; i++) {
		struct target *target = &targets->list[i];

		if (target->pid > 0 && waitpid(target->pid, NULL, WNOHANG) == 0)
			continue;
		target->pid = fork();
		if (target->pid == 0)
			target_serve(target, state, last, manager);
		if (target->pid < 0)
			warn("notify \"%s\": fork: %s", target->name, strerror(errno));
	}
}
