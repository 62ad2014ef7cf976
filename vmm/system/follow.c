// SPDX-License-Identifier: GPL-2.0-only
/* A supervisor's life, read as it is written; found again after our own end by the file and its lock. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/record.h"
#include "base/util.h"
#include "vmm/recover/recover.h"
#include "vmm/supervisor/control.h"
#include "vmm/system/system.h"

#define NOT_BEGUN "it was not begun"

static const char *const states[] = { "planned", "prepared", "booting", "sealed", "stopping", "aborting", "gone" };

/* The constant of that name, which outlives the record; NULL: none. */
static const char *state_find(const json_t *record)
{
	const char *name = json_string_value(json_object_get(record, "state"));

	for (size_t i = 0; name && i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i], name) == 0)
			return states[i];
	return NULL;
}

/* From booting on a supervisor listens all the time. */
static bool state_listens(const char *state)
{
	return strcmp(state, "booting") == 0 || strcmp(state, "sealed") == 0;
}

static void order_send(struct managed *vm)
{
	struct sockaddr_un address;
	socklen_t len = control_address(&address, geteuid(), vm->name);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool full = false;

	/* what it does then is in its life; that it is gone already, too */
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, len))
		send(fd, vm->order, strlen(vm->order), MSG_NOSIGNAL);
	else
		full = fd >= 0 && errno == EAGAIN;
	fd_close(&fd);
	if (!full)
		vm->order = NULL;
}

bool orders_wait(struct manager *manager)
{
	bool waits = false;

	for (unsigned int i = 0; i < manager->count; i++) {
		struct managed *vm = manager->vms[i];

		if (vm->order && state_listens(vm->state))
			order_send(vm);
		waits |= vm->order && state_listens(vm->state);
	}
	return waits;
}

void vm_order(struct managed *vm, const char *word)
{
	if (!vm->order || strcmp(word, "abort") == 0)
		vm->order = word;
	if (state_listens(vm->state))
		order_send(vm);
}

/* The last words in its log, for an end that has none of its own. */
static void log_last(const struct manager *manager, const struct managed *vm, char *text, size_t size)
{
	char *path = path_make("%s/vm/%s/log", manager->folders.run, vm->name), line[1024];
	FILE *file = path ? fopen(path, "re") : NULL;

	while (file && fgets(line, sizeof(line), file))
		snprintf(text, size, "%.*s", (int)strcspn(line, "\n"), line);
	if (file)
		fclose(file);
	free(path);
}

static void end_set(struct managed *vm, json_t *end)
{
	json_decref(vm->end);
	vm->end = json_incref(end);
}

static void end_take(const struct manager *manager, struct managed *vm, json_t *record)
{
	char text[1024] = "";

	if (!json_string_length(json_object_get(record, "text"))) {
		log_last(manager, vm, text, sizeof(text));
		json_object_set_new(record, "text", json_string(text));
	}
	end_set(vm, record);
}

static void step_take(struct managed *vm, const json_t *record)
{
	const char *sequence = json_string_value(json_object_get(record, "sequence"));
	const char *step = json_string_value(json_object_get(record, "step"));

	if (sequence && step)
		snprintf(vm->step, sizeof(vm->step), "%s: %s", sequence, step);
}

/*
 * Its first record says which run it is, so which memory is its. Of one before the last start, or before a deletion
 * that did not come to its end, all was told; of one that no event is left of, nothing.
 */
static void run_take(struct manager *manager, struct managed *vm, const json_t *record)
{
	json_int_t run = json_integer_value(json_object_get(record, "run")), last = MAX(vm->run, vm->deleted);

	if (run < last) {
		vm->told = INT64_MAX;
		vm->unbegun = vm->unended ? vm->run : 0;
	}
	if (run > last) {
		vm_forget(vm);
		events_skip(manager, run);
	}
	vm->run = run;
	stored_take(manager, vm);
}

/* An event of it, if it is news. */
static bool record_tell(struct manager *manager, struct managed *vm, const char *type, json_t *record)
{
	if (vm->seq <= vm->told)
		return false;
	vm->told = vm->seq;
	json_object_set_new(record, "run", json_integer(vm->run));
	json_object_set_new(record, "seq", json_integer(vm->seq));
	event_add(manager, type, vm, json_incref(record));
	return true;
}

/* What the host has changed under it: a guarantee that was lost or is held again, or its sleep or clock. */
static void change_take(struct manager *manager, struct managed *vm, json_t *change)
{
	vm->ns = MAX(vm->ns, json_integer_value(json_object_get(change, "ns")));
	if (json_is_object(change))
		record_tell(manager, vm, json_object_get(change, "guarantee") ? "guarantee" : "host", change);
}

static bool is_running(const struct managed *vm)
{
	struct pollfd process = { .fd = vm->pid_fd, .events = POLLIN };

	return vm->pid_fd >= 0 && poll(&process, 1, 0) == 0;
}

/* NULL: there is none any more. */
static void cause_set(struct managed *vm, json_t *cause)
{
	json_decref(vm->cause);
	vm->cause = json_incref(cause);
}

static void record_take(struct manager *manager, struct managed *vm, json_t *record, const char *state)
{
	vm->seq++;
	step_take(vm, record);
	if (vm->seq == 1)
		run_take(manager, vm, record);
	if (state) {
		vm->state = state;
		vm->ns = json_integer_value(json_object_get(record, "ns"));
		vm->verify |= json_is_true(json_object_get(record, "verify"));
		json_object_del(record, "verify");
		cause_set(vm, json_object_get(record, "cause"));
		json_object_del(record, "cause");
		if (json_object_get(record, "core"))
			vm->core = (pid_t)json_integer_value(json_object_get(record, "core"));
		if (strcmp(state, "gone") == 0)
			end_take(manager, vm, record);
	}
	if (state && record_tell(manager, vm, "state", record))
		vm->ended_now = strcmp(state, "gone") == 0;
	change_take(manager, vm, json_object_get(record, "change"));
	if (vm->order && state_listens(vm->state))
		order_send(vm);
}

struct following {
	struct manager *manager;
	struct managed *vm;
	bool any;
};

/* Its end waits until its process has ended too: whoever is told of it may start the VM again at once. */
static bool life_take(void *context, const char *text)
{
	struct following *following = context;
	json_t *record = json_loads(text, 0, NULL);
	const char *state = state_find(record);
	bool early = state && strcmp(state, "gone") == 0 && is_running(following->vm);

	if (!early)
		record_take(following->manager, following->vm, record, state);
	following->any |= !early;
	json_decref(record);
	return !early;
}

/* Until it is known. */
static bool pid_take(void *context, const char *text)
{
	pid_t *pid = context;
	json_t *record = json_loads(text, 0, NULL);

	if (!*pid)
		*pid = (pid_t)json_integer_value(json_object_get(record, "pid"));
	json_decref(record);
	return !*pid;
}

/* The process that holds the lock has said its pid; it can't be another by now, as the lock is held still. */
static void process_find(struct managed *vm)
{
	unsigned int bad = 0;
	off_t at = 0;

	if (vm->pid == 0)
		records_read(vm->life_fd, &at, &bad, pid_take, &vm->pid);
	if (vm->pid > 0 && vm->pid_fd < 0)
		vm->pid_fd = (int)syscall(SYS_pidfd_open, vm->pid, 0);
}

/* A lock that we get is nobody's: its supervisor has ended. To be asked after the pidfd was opened. */
static bool life_is_locked(const struct managed *vm)
{
	bool locked = flock(vm->life_fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;

	flock(vm->life_fd, LOCK_UN);
	return locked;
}

/* And it is time to ask for it, as others wait meanwhile. */
static bool memory_is_wanted(const struct managed *vm)
{
	return vm->memory_fd < 0 && !vm->clearing && state_listens(vm->state) && is_running(vm) &&
	       clock_now() >= vm->memory_again;
}

void memories_hold(struct manager *manager)
{
	for (unsigned int i = 0; i < manager->count; i++) {
		struct managed *vm = manager->vms[i];

		if (memory_is_wanted(vm)) {
			memory_hold(vm);
			return; /* others wait for it */
		}
	}
}

void vm_read(struct manager *manager, struct managed *vm)
{
	struct following following = { manager, vm };
	unsigned int bad = 0;
	int err;

	if (vm->life_fd < 0)
		return;
	records_read(vm->life_fd, &vm->life_at, &bad, life_take, &following);
	err = following.any && memory_is_wanted(vm) ? memory_hold(vm) : 0;
	if (err)
		warn("%s: its memory is held by its supervisor alone for now: %s", vm->name, strerror(-err));
	if (bad)
		warn("%s: %u records of its life were cut or altered", vm->name, bad);
}

/* What became of the memory of a VM whose supervisor wrote no end. */
static const char *memory_fate(const struct managed *vm, bool ran, bool cleared)
{
	if (!ran)
		return "none was taken";
	if (cleared)
		return "cleared by nohyped";
	return memory_has_name(vm) ? MEMORY_STAYS : MEMORY_NOT_CLEARED;
}

/* For `nohype recover`, which must not take it for one that nobody has told. A part of a record goes. */
static void end_write(const struct managed *vm, const json_t *record)
{
	char *text = json_dumps(record, JSON_COMPACT);

	if (!text || ftruncate(vm->life_fd, vm->life_at) || record_append(vm->life_fd, text))
		warn("%s: its end can't be added to its life", vm->name);
	free(text);
}

/*
 * An end that it hasn't written itself: after all that was told, and all that its record has, so that it is no news
 * when that is read again.
 */
static void end_tell(struct manager *manager, struct managed *vm, enum exit_code code, const char *text, off_t cleared,
		     const char *memory)
{
	json_t *violation = json_object_get(vm->cause, "violation"), *record;

	vm->seq = MAX(vm->told == INT64_MAX ? 0 : vm->told, vm->seq) + 1;
	vm->told = vm->seq;
	vm->state = "gone";
	record = json_pack("{s:s, s:I, s:i, s:s, s:O?, s:I, s:I, s:I, s:s}", "state", vm->state, "ns",
			   (json_int_t)life_lasted(vm->life_fd, vm->ns), "code", (int)code, "text", text, "violation",
			   violation, "cleared_bytes", (json_int_t)cleared, "run", vm->run, "seq", vm->seq, "memory",
			   memory);
	end_set(vm, record);
	if (vm->life_fd >= 0)
		end_write(vm, record);
	event_add(manager, "state", vm, record);
}

/* Its record has no "gone": it was killed, it did not come so far, or there was no room for it. */
static void end_invent(struct manager *manager, struct managed *vm, bool cleared)
{
	bool ran = strcmp(vm->state, "defined") != 0;
	char text[1400] = "the supervisor was killed", last[1024] = "";
	enum exit_code code;

	if (*vm->step)
		snprintf(text, sizeof(text), "the supervisor was killed at \"%s\"", vm->step);
	code = cause_add(vm->cause, text, sizeof(text));
	if (!ran && vm->seq <= 1 && vm->status < 0)
		snprintf(text, sizeof(text), NOT_BEGUN ": nohyped or its supervisor was ended before it could");
	if (vm->status >= 0) {
		log_last(manager, vm, last, sizeof(last));
		snprintf(text, sizeof(text), "%s: %s", ran ? "its end was not written down" : "it did not start", last);
		code = vm->status <= (ran ? EXIT_ABORTED : EXIT_HOST) ? (enum exit_code)vm->status : EXIT_ERROR;
	}
	end_tell(manager, vm, code, text, cleared ? memory_cleared(vm) : 0, memory_fate(vm, ran, cleared));
	vm->ended_now = true;
}

/* More was told of this life than its record has. That of one before the last start is another's. */
static bool record_is_short(const struct managed *vm)
{
	return vm->told > vm->seq && vm->told != INT64_MAX;
}

/* The events tell of a life and of no end, and so does its record, or that is gone. Nothing of it runs any more. */
static void end_lost(struct manager *manager, struct managed *vm)
{
	const char *text = manager->rebooted ? "the host ended before it did: its power, a crash, or a reboot"
					     : "nothing is known of its end: its record is gone";

	vm->unended = false;
	end_tell(manager, vm, EXIT_ERROR, text, 0, MEMORY_NOT_CLEARED);
	vm->ended_now = !manager->rebooted;
}

/*
 * Its supervisor was killed; or `nohype recover`, which has no hold on its memory, has told its end between two lives
 * of ours.
 */
static bool is_uncleared(const struct managed *vm)
{
	const char *memory = json_string_value(json_object_get(vm->end, "memory"));

	return strcmp(vm->state, "gone") != 0 || (memory && strcmp(memory, MEMORY_NOT_CLEARED) == 0);
}

void vm_not_begun(struct manager *manager, struct managed *vm, const char *why)
{
	char *path = path_make("%s/vm/%s/life", manager->folders.run, vm->name), text[256];

	snprintf(text, sizeof(text), NOT_BEGUN ": %s", why);
	vm->told = 0;
	vm->seq = 0;
	vm->ns = 0;
	cause_set(vm, NULL);
	end_tell(manager, vm, EXIT_ERROR, text, 0, "none was taken");
	/* what may be there is an older one's, of which all was told, or has no word of this one */
	if (path)
		unlink(path);
	free(path);
}

/* A start that is an event, and of which there is no record. */
static void begin_lost(struct manager *manager, struct managed *vm)
{
	vm->unended = false;
	if (vm->unbegun)
		vm->run = vm->unbegun;
	vm->unbegun = 0;
	vm_not_begun(manager, vm, "nohyped was ended before it could");
	vm->ended_now = true;
}

/* It has no record. What isn't told is, and decided what was not; but after a reboot nothing starts by itself. */
static void no_life(struct manager *manager, struct managed *vm)
{
	if (vm->unended && vm->told == 0 && !manager->rebooted)
		begin_lost(manager, vm);
	else if (vm->unended)
		end_lost(manager, vm);
	if (vm->ended_now && !manager->rebooted)
		vm_restart_plan(manager, vm);
	vm->ended_now = false;
}

/* The exit code of vm->pid_fd's process; -1: a signal ended it, or it isn't our child, as after a restart. */
static int status_take(const struct managed *vm)
{
	siginfo_t info = { 0 };

	if (vm->pid_fd < 0 || waitid(P_PIDFD, (id_t)vm->pid_fd, &info, WEXITED | WNOHANG) || !info.si_pid)
		return -1;
	return info.si_code == CLD_EXITED ? info.si_status : -1;
}

void vm_ended(struct manager *manager, struct managed *vm)
{
	int status;

	vm_read(manager, vm);
	status = status_take(vm);
	if (!vm->clearing)
		vm->status = status;
	if (vm->unended && strcmp(vm->state, "gone") != 0 && (manager->rebooted || record_is_short(vm)))
		end_lost(manager, vm);
	/* an end that it hasn't written itself, and that was told before an older nohyped ended */
	if (vm->told > vm->seq)
		vm->state = "gone";
	if (is_uncleared(vm) && !vm->clearing && memory_clear_begin(vm))
		return; /* and once more when that has ended */
	if (strcmp(vm->state, "gone") != 0)
		end_invent(manager, vm, vm->clearing && status == 0);
	fd_close(&vm->pid_fd);
	fd_close(&vm->life_fd);
	memory_drop(vm);
	scope_end(vm);
	vm->pid = 0;
	vm->core = 0;
	vm->clearing = false;
	vm->order = NULL;
	if (vm->unbegun)
		begin_lost(manager, vm);
	if (vm->ended_now)
		vm_restart_plan(manager, vm);
	vm->ended_now = false;
}

/* Of one that isn't our child. Its number may be another's by now if it has ended, which is then not asked. */
static bool adopt(struct manager *manager, struct managed *vm)
{
	process_find(vm);
	if (life_is_locked(vm))
		return true;
	fd_close(&vm->pid_fd);
	vm_ended(manager, vm);
	return false;
}

void vm_find_process(struct manager *manager, struct managed *vm)
{
	if (vm->life_fd >= 0 && vm->pid_fd < 0)
		adopt(manager, vm);
}

int vm_follow(struct manager *manager, struct managed *vm)
{
	char *path = path_make("%s/vm/%s/life", manager->folders.run, vm->name);
	bool adopted = vm->pid == 0;

	vm->life_fd = path ? open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
	vm->life_at = 0;
	vm->verify = false;
	vm->seq = 0;
	vm->ns = 0;
	vm->status = -1;
	vm->unbegun = 0;
	vm->memory_wait = 0;
	vm->memory_again = 0;
	cause_set(vm, NULL);
	*vm->step = '\0';
	if (path && vm->life_fd >= 0)
		inotify_add_watch(manager->watch_fd, path, IN_MODIFY);
	free(path);
	if (vm->life_fd < 0) {
		if (errno != ENOENT)
			return -errno;
		no_life(manager, vm);
		return 0;
	}
	if (adopted && !adopt(manager, vm))
		return 0;
	process_find(vm);
	vm_read(manager, vm);
	return 0;
}
