// SPDX-License-Identifier: GPL-2.0-only
/* Lives of VMs, as their supervisors wrote them, that end without an end: everything that knew them was killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "base/record.h"
#include "base/util.h"
#include "vmm/recover/recover.h"

struct life {
	char state[16]; /* the last that was said; "" none */
	pid_t pid, core;
	off_t whole;   /* bytes that are records; what follows was cut */
	int64_t ns;    /* that it had lasted, by what it wrote last */
	json_t *cause; /* why it was ending, or NULL: code, text, violation */
};

int64_t life_lasted(int fd, int64_t ns)
{
	struct timespec now;
	struct stat st;

	clock_gettime(CLOCK_REALTIME, &now);
	if (fstat(fd, &st) || now.tv_sec <= st.st_mtim.tv_sec)
		return ns;
	return ns + (now.tv_sec - st.st_mtim.tv_sec) * INT64_C(1000000000);
}

enum exit_code cause_add(const json_t *cause, char *text, size_t size)
{
	const char *why = json_string_value(json_object_get(cause, "text"));
	json_int_t code = json_integer_value(json_object_get(cause, "code"));
	size_t used = strlen(text);

	if (why)
		snprintf(text + used, size - used, "; before that: %s", why);
	return code > EXIT_ERROR && code <= EXIT_ABORTED ? (enum exit_code)code : EXIT_ERROR;
}

static bool life_take(void *context, const char *text)
{
	struct life *life = context;
	json_t *record = json_loads(text, 0, NULL);
	const char *state = json_string_value(json_object_get(record, "state"));

	if (state) {
		life->ns = json_integer_value(json_object_get(record, "ns"));
		snprintf(life->state, sizeof(life->state), "%s", state);
		json_decref(life->cause);
		life->cause = json_incref(json_object_get(record, "cause"));
	}
	if (json_object_get(record, "pid"))
		life->pid = (pid_t)json_integer_value(json_object_get(record, "pid"));
	if (json_object_get(record, "core"))
		life->core = (pid_t)json_integer_value(json_object_get(record, "core"));
	json_decref(record);
	return true;
}

/* life_free() in any case. */
static int life_read(struct life *life, int fd)
{
	unsigned int bad = 0;
	int left;

	*life = (struct life){ 0 };
	left = records_read(fd, &life->whole, &bad, life_take, life);
	return MIN(left, 0);
}

static void life_free(struct life *life)
{
	json_decref(life->cause);
	life->cause = NULL;
}

/* False: there is none. */
static bool life_find(struct life *life, const char *run, const char *name)
{
	char path[PATH_MAX];
	int fd;

	*life = (struct life){ 0 };
	snprintf(path, sizeof(path), "%s/vm/%s/life", run, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	life_read(life, fd);
	life_free(life);
	close(fd);
	return true;
}

bool life_was_of(const char *run, const char *name, pid_t pid)
{
	struct life life;

	return life_find(&life, run, name) && life.pid == pid;
}

bool life_is_open(const char *run, const char *name, pid_t pid)
{
	struct life life;

	return life_find(&life, run, name) && life.pid == pid && strcmp(life.state, "gone") != 0;
}

/* An end as the supervisor would have written it; what it was cut in the middle of goes. */
static int life_close(struct recovered *recovered, const struct life *life, const char *name, int fd,
		      const struct fate *fate)
{
	char how[1400] = "all that ran it was killed";
	enum exit_code code = cause_add(life->cause, how, sizeof(how));
	json_t *end = json_pack("{s:s, s:I, s:i, s:s, s:O?, s:I, s:s}", "state", "gone", "ns",
				(json_int_t)life_lasted(fd, life->ns), "code", (int)code, "text", how, "violation",
				json_object_get(life->cause, "violation"), "cleared_bytes", (json_int_t)fate->cleared,
				"memory", fate->text);
	char *text = end ? json_dumps(end, JSON_COMPACT) : NULL;
	int err = text ? 0 : -ENOMEM;

	if (!err && ftruncate(fd, life->whole))
		err = -errno;
	err = err ? err : record_append(fd, text);
	if (!err && fdatasync(fd))
		err = -errno;
	if (!err)
		recovered_add(recovered, name, life->state, fate);
	free(text);
	json_decref(end);
	return err;
}

static int life_recover(struct recovered *recovered, int folder, const char *name, const char *state)
{
	struct life life;
	struct fate fate;
	char path[300];
	int fd, err = 0, memory = 0;

	if (*name == '.')
		return 0;
	snprintf(path, sizeof(path), "%s/life", name);
	fd = openat(folder, path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(-errno, "\"%s\": %s", path, strerror(errno));
	/* whoever holds it lives, and writes its end itself */
	if (!flock(fd, LOCK_EX | LOCK_NB)) {
		err = life_read(&life, fd);
		if (!err && strcmp(life.state, "gone") != 0 && *life.state) {
			recovered->cores_killed += stray_core_end(life.core, life.pid) > 0;
			fate_find(&fate, state, name, life.pid, "recover");
			err = life_close(recovered, &life, name, fd, &fate);
			memory = fate.err;
		}
		life_free(&life);
	}
	close(fd);
	return err ? fail(err, "\"%s\": %s", path, strerror(-err)) : memory;
}

static int lives_walk(struct recovered *recovered, int folder, const char *state)
{
	DIR *lives = fdopendir(dup(folder));
	const struct dirent *entry;
	int err = lives ? 0 : -errno;

	while (lives && (entry = readdir(lives))) {
		int next = life_recover(recovered, folder, entry->d_name, state);

		err = err ? err : next;
	}
	if (lives)
		closedir(lives);
	return err;
}

int recover_lives(struct recovered *recovered, const char *run, const char *state)
{
	int lock = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder = -1, err = 0;

	recovered->lives = json_array();
	if (lock < 0)
		return errno == ENOENT ? 0 : fail(-errno, "\"%s\": %s", run, strerror(errno));
	/* nohyped's own lock: one that begins meanwhile is refused for a moment */
	recovered->by_manager = flock(lock, LOCK_EX | LOCK_NB) != 0;
	if (!recovered->by_manager)
		folder = openat(lock, "vm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		err = lives_walk(recovered, folder, state);
		close(folder);
	}
	close(lock);
	return err;
}
