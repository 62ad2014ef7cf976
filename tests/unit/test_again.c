// SPDX-License-Identifier: GPL-2.0-only
/* What a nohyped tells that comes after one that was killed: each state of each life once. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/record.h"
#include "base/util.h"
#include "vmm/recover/recover.h"
#include "vmm/system/system.h"

static char folder[] = "/tmp/test-again-XXXXXX";
static char top[sizeof(folder)];

static void run(const char *command)
{
	char text[256];

	snprintf(text, sizeof(text), "cd %s && %s", top, command);
	ck_assert_int_eq(system(text), 0);
}

static void folders_make(void)
{
	strcpy(top, folder);
	ck_assert_ptr_nonnull(mkdtemp(top));
	run("mkdir vms vm vm/web && echo '{\"kernel\":\"/k\",\"restart\":{\"policy\":\"always\"}}' >vms/web.json");
}

/* State and run-time folder are one here. What it says itself is of no interest. */
static struct manager *manager_begin(struct capture *capture)
{
	struct manager *manager = calloc(1, sizeof(*manager));

	ck_assert_int_eq(capture_begin(capture), 0);
	manager->folders = (struct folders){ top, top };
	manager->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	ck_assert_int_eq(vms_load(manager), 0);
	ck_assert_int_eq(events_open(manager), 0);
	ck_assert_uint_eq(manager->count, 1);
	return manager;
}

/* As if it were killed. */
static void manager_die(struct manager *manager, struct capture *capture)
{
	free(capture_end(capture));
	close(manager->events_fd);
	close(manager->watch_fd);
	vm_remove(manager, manager->vms[0]);
	json_decref(manager->events);
	free(manager);
}

/* The last one of a test. */
static void manager_end(struct manager *manager, struct capture *capture)
{
	manager_die(manager, capture);
	run("rm -r $PWD");
}

#define VIOLATION "{\"code\":5,\"text\":\"it broke its seal\",\"violation\":{\"reason\":\"CPUID\"}}"

/* A life that nobody holds, of run @first: as its supervisor has left it, who was killed; why it ended, or NULL. */
static void life_make_for(json_int_t first, const char *cause)
{
	static const char *const records[] = {
		"{\"state\":\"planned\",\"pid\":1,\"core\":0}",
		"{\"sequence\":\"start\",\"step\":\"memory\",\"ns\":1}",
		"{\"state\":\"sealed\",\"pid\":1,\"core\":0}",
		"{\"sequence\":\"stop\",\"step\":\"order\",\"ns\":2}",
	};
	char path[256], text[256];
	int fd;

	snprintf(path, sizeof(path), "%s/vm/web/life", top);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
	ck_assert_int_ge(fd, 0);
	snprintf(text, sizeof(text), "{\"run\":%lld}", (long long)first);
	ck_assert_int_eq(record_append(fd, text), 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(record_append(fd, records[i]), 0);
	snprintf(text, sizeof(text), "{\"state\":\"aborting\",\"pid\":1,\"core\":0,\"cause\":%s}", cause ?: "");
	if (cause)
		ck_assert_int_eq(record_append(fd, text), 0);
	close(fd);
}

static void life_make(json_int_t first)
{
	life_make_for(first, NULL);
}

/* Only begun: its record's file is there, and nothing in it of what it did. */
static void life_begin(json_int_t first)
{
	life_make(first);
	run("head -n 1 vm/web/life >vm/web/new && mv vm/web/new vm/web/life");
}

/* How many events say @what. */
static size_t told(const struct manager *manager, const char *what)
{
	size_t count = 0, i;
	const json_t *text;

	json_array_foreach (manager->events, i, text)
		count += strstr(json_string_value(text), what) != NULL;
	return count;
}

/* A nohyped that comes after the VM's end. */
static struct manager *manager_follow(struct capture *capture)
{
	struct manager *manager = manager_begin(capture);

	ck_assert_int_eq(vm_follow(manager, manager->vms[0]), 0);
	ck_assert_str_eq(manager->vms[0]->state, "gone");
	return manager;
}

/* A VM that was started by a nohyped that is no more, and then killed. Its run. */
static json_int_t started(void)
{
	struct capture capture;
	struct manager *manager = manager_begin(&capture);
	json_int_t first;

	ck_assert_int_eq(vm_begin(manager, manager->vms[0], json_object()), 0);
	first = manager->vms[0]->run;
	manager_die(manager, &capture);
	return first;
}

/* One that was killed, of which all was told. */
static void lived(void)
{
	struct capture capture;

	folders_make();
	life_make(started());
	manager_die(manager_follow(&capture), &capture);
}

struct telling {
	const char *what; /* NULL: there are no more */
	size_t count;
};

/* Three nohypeds, one after the other: of each all was told so often, and it is to start the VM again, or not. */
static void each_tells(const struct telling *tellings, bool starts)
{
	struct capture capture;

	for (unsigned int i = 0; i < 3; i++) {
		struct manager *manager = manager_follow(&capture);

		for (const struct telling *telling = tellings; telling->what; telling++)
			ck_assert_msg(told(manager, telling->what) == telling->count, "%u: %s: %zu", i, telling->what,
				      told(manager, telling->what));
		ck_assert_int_eq(manager->vms[0]->restart_at > 0, starts);
		manager_die(manager, &capture);
	}
	run("rm -r $PWD");
}

START_TEST(an_end_is_told_once)
{
	static const struct telling once[] = {
		{ "\"planned\"", 1 },
		{ "\"sealed\"", 1 },
		{ "\"gone\"", 1 },
		{ "killed at \\\"stop: order\\\"", 1 },
		{ 0 },
	};

	folders_make();
	life_make(started());
	each_tells(once, true);
}
END_TEST

/* The life before had more records, and ended; of this one nothing was told when the nohyped that began it died. */
START_TEST(a_life_is_told_from_its_begin)
{
	struct capture capture;
	struct manager *manager;

	lived();
	life_make(started());
	manager = manager_follow(&capture);
	ck_assert_uint_eq(told(manager, "\"planned\""), 2);
	ck_assert_uint_eq(told(manager, "\"sealed\""), 2);
	ck_assert_uint_eq(told(manager, "\"gone\""), 2);
	manager_end(manager, &capture);
}
END_TEST

/* It died between the event and the new life's first record: the old one is no news, the new one was not begun. */
START_TEST(an_older_life_is_not_told_again)
{
	/* it is to be started again after the first, and after that */
	static const struct telling both[] = {
		{ "\"planned\"", 1 }, { "\"gone\"", 2 }, { "it was not begun", 1 }, { "\"waiting\"", 2 }, { 0 },
	};

	lived();
	started();
	each_tells(both, true);
}
END_TEST

/* The same, where there was no older one; and where the record's file was there already, and nothing in it of the life.
 */
START_TEST(one_that_was_not_begun)
{
	static const struct telling one[] = {
		{ "\"gone\"", 1 }, { "it was not begun", 1 }, { "none was taken", 1 }, { "\"waiting\"", 1 }, { 0 },
	};
	json_int_t first;

	folders_make();
	first = started();
	if (_i)
		life_begin(first);
	each_tells(one, true);
}
END_TEST

/* Whoever ordered it was told so. It has an end, and isn't started by the next nohyped. */
START_TEST(one_that_could_not_be_begun)
{
	static const struct telling one[] = {
		{ "it was not begun: ", 1 },
		{ "\"given up\"", 1 },
		{ "\"waiting\"", 0 },
		{ 0 },
	};
	struct capture capture;
	struct manager *manager;

	folders_make();
	run("rm -r vm");
	manager = manager_begin(&capture);
	ck_assert_int_eq(vm_begin(manager, manager->vms[0], json_object()), 0);
	ck_assert_int_lt(vm_launch(manager, manager->vms[0]), 0);
	ck_assert_str_eq(manager->vms[0]->state, "gone");
	manager_die(manager, &capture);
	each_tells(one, false);
}
END_TEST

/* It has a length, by when it wrote last. */
START_TEST(a_life_that_was_cut_has_lasted)
{
	struct recovered recovered = RECOVERED_NONE;
	struct capture capture;
	struct manager *manager;
	const json_t *end;

	folders_make();
	life_make(started());
	run("touch -d '2 hours ago' vm/web/life");
	if (_i)
		ck_assert_int_eq(recover_lives(&recovered, top, top), 0);
	recovered_free(&recovered);
	manager = manager_follow(&capture);
	end = manager->vms[0]->end;
	ck_assert_int_ge(json_integer_value(json_object_get(end, "ns")), 7200 * INT64_C(1000000000));
	manager_end(manager, &capture);
}
END_TEST

/* Its supervisor had said that the seal was broken, and was killed while it cleared. */
START_TEST(a_violation_stays_one)
{
	static const struct telling violation[] = {
		{ "\"code\":5", 1 },
		{ "it broke its seal", 1 },
		{ "\"violation\":{\"reason\":\"CPUID\"}", 1 },
		{ "\"waiting\"", 0 },
		{ 0 },
	};
	struct recovered recovered = RECOVERED_NONE;

	folders_make();
	life_make_for(started(), VIOLATION);
	if (_i)
		ck_assert_int_eq(recover_lives(&recovered, top, top), 0);
	recovered_free(&recovered);
	each_tells(violation, false);
}
END_TEST

/* One that was to be started again: nohyped was killed when that was told, and had no file of it removed. */
static void deleted(void)
{
	struct capture capture;
	struct manager *manager;

	lived();
	manager = manager_begin(&capture);
	event_add(manager, "deleted", manager->vms[0], json_object());
	manager_die(manager, &capture);
}

/* What was of one of that name that was deleted is nothing of the one that came after it. */
START_TEST(one_that_was_deleted_is_forgotten)
{
	struct capture capture;
	struct manager *manager;

	deleted();
	run("rm vm/web/life");
	manager = manager_begin(&capture);
	ck_assert_int_eq(vm_follow(manager, manager->vms[0]), 0);
	ck_assert_str_eq(manager->vms[0]->state, "defined");
	ck_assert_int_eq(manager->vms[0]->restart_at, 0);
	ck_assert_ptr_null(manager->vms[0]->end);
	ck_assert_int_eq(manager->vms[0]->run, 0);
	manager_end(manager, &capture);
}
END_TEST

/* nohyped was killed before its files were gone: it is no news that it ran. */
START_TEST(one_that_was_being_deleted)
{
	struct capture capture;
	struct manager *manager;

	deleted();
	manager = manager_begin(&capture);
	ck_assert_int_eq(vm_follow(manager, manager->vms[0]), 0);
	ck_assert_str_eq(manager->vms[0]->state, "gone");
	ck_assert_uint_eq(told(manager, "\"gone\""), 1);
	ck_assert(!vm_is_alive(manager->vms[0]));
	ck_assert_int_eq(manager->vms[0]->restart_at, 0);
	manager_end(manager, &capture);
}
END_TEST

static off_t events_size(void)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/events", top);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size;
}

static void room_set(rlim_t bytes)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Nothing is started then; what happens all the same is written as soon as there is room. */
START_TEST(a_full_disk)
{
	struct capture capture;
	struct manager *manager;
	json_int_t last;

	lived();
	signal(SIGXFSZ, SIG_IGN);
	manager = manager_begin(&capture);
	last = manager->last_event;
	room_set((rlim_t)events_size() + 20);
	ck_assert_int_lt(vm_begin(manager, manager->vms[0], json_object()), 0);
	ck_assert_int_eq(manager->last_event, last);
	event_add(manager, "stop", manager->vms[0], json_object());
	event_add(manager, "test", NULL, json_pack("{s:s}", "text", "of no room"));
	ck_assert_int_lt(vm_begin(manager, manager->vms[0], json_object()), 0);
	ck_assert_int_eq(manager->last_event, last + 2);
	room_set(RLIM_INFINITY);
	ck_assert_int_eq(vm_begin(manager, manager->vms[0], json_object()), 0);
	manager_die(manager, &capture);
	manager = manager_begin(&capture);
	ck_assert_int_eq(manager->last_event, last + 3);
	ck_assert_uint_eq(told(manager, "of no room"), 1);
	ck_assert_uint_eq(told(manager, "\"start\""), 2);
	manager_end(manager, &capture);
}
END_TEST

/* The first life's end is not the second's: that was not begun either, nor told of, nor decided on. */
START_TEST(a_second_life_that_was_not_begun)
{
	static const struct telling tellings[] = {
		{ "\"gone\"", 2 }, { "it was not begun", 1 }, { "\"waiting\"", 2 }, { 0 }
	};

	lived();
	life_begin(started());
	each_tells(tellings, true);
}
END_TEST

/* Its supervisor runs, and has said nothing yet. */
START_TEST(a_second_life_that_has_said_nothing)
{
	struct capture capture;
	struct manager *manager;
	char path[64];
	int fd;

	lived();
	life_begin(started());
	snprintf(path, sizeof(path), "%s/vm/web/life", top);
	fd = open(path, O_RDWR | O_APPEND);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	manager = manager_begin(&capture);
	ck_assert_int_eq(vm_follow(manager, manager->vms[0]), 0);
	ck_assert_str_eq(manager->vms[0]->state, "defined");
	ck_assert(vm_is_alive(manager->vms[0]));
	close(fd);
	manager_end(manager, &capture);
}
END_TEST

/* How a target was told of events up to @last. */
static void position_make(long long last)
{
	char text[96];

	snprintf(text, sizeof(text), "mkdir -p notify && echo %020lld >notify/cloud", last);
	run(text);
}

/* A power cut took them, or somebody did: whom nohyped tells would take others of their numbers for those. */
START_TEST(events_that_a_target_has_had)
{
	struct capture capture;
	struct manager *manager;
	json_int_t last;

	lived();
	manager = manager_begin(&capture);
	last = manager->last_event;
	manager_die(manager, &capture);
	position_make(last - 1);
	manager = manager_begin(&capture);
	ck_assert_int_eq(manager->last_event, last);
	manager_die(manager, &capture);
	position_make(last + 5);
	manager = manager_begin(&capture);
	event_add(manager, "test", NULL, json_object());
	ck_assert_int_eq(manager->last_event, last + 6);
	ck_assert_int_eq(manager->last_stored, last + 6);
	manager_die(manager, &capture);
	position_make(INT64_MAX);
	manager = manager_begin(&capture);
	ck_assert_int_eq(manager->last_event, last + 6);
	manager_end(manager, &capture);
}
END_TEST

/* And what had no room is written when there is, with no other event. */
START_TEST(a_disk_that_was_full)
{
	struct capture capture;
	struct manager *manager;
	json_int_t last;

	lived();
	signal(SIGXFSZ, SIG_IGN);
	manager = manager_begin(&capture);
	last = manager->last_event;
	room_set((rlim_t)events_size() + 20);
	event_add(manager, "stop", manager->vms[0], json_object());
	ck_assert_int_eq(manager->last_event, last + 1);
	events_retry(manager);
	ck_assert_int_eq(manager->last_stored, last); /* nobody is told of it */
	room_set(RLIM_INFINITY);
	events_retry(manager);
	ck_assert_int_eq(manager->last_stored, last + 1);
	manager_die(manager, &capture);
	manager = manager_begin(&capture);
	ck_assert_uint_eq(told(manager, "\"stop\""), 1);
	ck_assert_int_eq(manager->vms[0]->restart_at, 0);
	manager_end(manager, &capture);
}
END_TEST

/* Of one that is too long for a record the others, and starts, don't wait. */
START_TEST(an_event_that_is_too_long)
{
	struct capture capture;
	struct manager *manager;
	json_t *list = json_array();

	lived();
	manager = manager_begin(&capture);
	for (unsigned int i = 0; i < RECORD_MAX / 8; i++)
		json_array_append_new(list, json_string("claimed"));
	event_add(manager, "recovered", NULL, json_pack("{s:o, s:i}", "claims", list, "count", 7));
	ck_assert_int_eq(vm_begin(manager, manager->vms[0], json_object()), 0);
	ck_assert_uint_eq(told(manager, "\"claimed\""), 0);
	ck_assert_uint_eq(told(manager, "\"count\":7"), 1);
	ck_assert_uint_eq(told(manager, "\"cut\":true"), 1);
	manager_end(manager, &capture);
}
END_TEST

/* Its events are gone, as after a restored STATE: its life is told, and no number is given again. */
START_TEST(a_life_that_events_know_nothing_of)
{
	struct capture capture;
	struct manager *manager;

	lived();
	life_make(1000);
	manager = manager_follow(&capture);
	ck_assert_int_gt(manager->last_event, 1000);
	ck_assert_uint_eq(told(manager, "\"planned\""), 1);
	ck_assert_uint_eq(told(manager, "\"gone\""), 1);
	ck_assert_int_eq(events_first(manager), 1001);
	manager_end(manager, &capture);
}
END_TEST

/* The last nohyped was of another boot. Of the VM's record all is left, or nothing. */
static void host_ended(bool record)
{
	struct capture capture;
	struct manager *manager;

	folders_make();
	life_make(started());
	manager = manager_begin(&capture);
	event_add(manager, "manager", NULL, json_pack("{s:s}", "boot", "another"));
	manager_die(manager, &capture);
	if (!record)
		run("rm vm/web/life");
	for (unsigned int i = 0; i < 2; i++) {
		manager = manager_follow(&capture);
		ck_assert_uint_eq(told(manager, "\"gone\""), 1);
		ck_assert_uint_eq(told(manager, "the host ended before it did"), 1);
		ck_assert_uint_eq(told(manager, "not cleared by nohype"), 1);
		manager_die(manager, &capture);
	}
	run("rm -r $PWD");
}

START_TEST(an_end_with_the_host_is_told_once)
{
	host_ended(true);
	host_ended(false);
}
END_TEST

/* A guest's memory, 2 MiB. */
static int memory_make(void)
{
	int fd = memfd_create("nohype-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(fd, MIB(2)), 0);
	ck_assert_int_eq(pwrite(fd, "a tenant's", 10, 4096), 10);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	return fd;
}

/* What systemd's fd store has kept of a VM, as a service is given it. */
static void memory_store(struct manager *manager, json_int_t first, int fd)
{
	char name[64];

	snprintf(name, sizeof(name), "memory/%lld/web", (long long)first);
	manager->service.given = calloc(1, sizeof(*manager->service.given));
	manager->service.given[0] = (struct given){ strdup(name), dup(fd) };
	manager->service.count = 1;
}

/* What is held of @manager's VM is cleared, or that fails. Until then its end was told @before times. */
static void clearing_wait(struct manager *manager, size_t before)
{
	while (manager->vms[0]->clearing) {
		struct pollfd process = { .fd = manager->vms[0]->pid_fd, .events = POLLIN };

		ck_assert_uint_eq(told(manager, "\"gone\""), before);
		ck_assert_int_eq(poll(&process, 1, 10000), 1);
		vm_ended(manager, manager->vms[0]);
	}
}

/* @recovered: `nohype recover` was there in between, and has told the end. */
static void cleared_again(bool recovered)
{
	json_int_t first;
	struct capture capture;
	struct manager *manager;
	char found[10];
	int fd;

	folders_make();
	first = started();
	life_make(first);
	if (recovered) {
		struct recovered all = RECOVERED_NONE;

		ck_assert_int_eq(recover_lives(&all, top, top), 0);
		recovered_free(&all);
	}
	manager = manager_begin(&capture);
	fd = memory_make();
	memory_store(manager, first, fd);
	ck_assert_int_eq(vm_follow(manager, manager->vms[0]), 0);
	clearing_wait(manager, recovered);
	ck_assert_int_eq(pread(fd, found, sizeof(found), 4096), sizeof(found));
	ck_assert_mem_eq(found, "\0\0\0\0\0\0\0\0\0", 10);
	ck_assert_uint_eq(told(manager, "\"gone\""), 1);
	ck_assert_uint_eq(told(manager, "cleared by nohyped"), !recovered);
	ck_assert_uint_eq(told(manager, "not cleared by nohype"), recovered);
	ck_assert_int_eq(manager->vms[0]->memory_fd, -1);
	service_end(&manager->service);
	manager_end(manager, &capture);
}

START_TEST(memory_that_systemd_kept_is_cleared)
{
	cleared_again(false);
	cleared_again(true);
}
END_TEST

/* Of a host that changes often: its end is beyond what one read has. */
START_TEST(a_long_life_has_its_end)
{
	struct capture capture;
	struct manager *manager;
	char path[256];
	int fd;

	folders_make();
	life_make(started());
	snprintf(path, sizeof(path), "%s/vm/web/life", top);
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	for (unsigned int i = 0; i < 500; i++)
		ck_assert_int_eq(record_append(fd, "{\"change\":{\"guarantee\":\"cores.isolated\",\"state\":\"lost\","
						   "\"text\":\"a text of some length, as the kernel's files say it, "
						   "and of what was wanted\",\"ns\":1}}"),
				 0);
	ck_assert_int_gt(lseek(fd, 0, SEEK_END), RECORD_MAX);
	ck_assert_int_eq(record_append(fd, "{\"state\":\"gone\",\"code\":5,\"text\":\"violation\"}"), 0);
	close(fd);
	for (unsigned int i = 0; i < 2; i++) {
		manager = manager_follow(&capture);
		ck_assert_uint_eq(told(manager, "\"gone\""), 1);
		ck_assert_uint_eq(told(manager, "\"code\":5"), 1);
		ck_assert_uint_eq(told(manager, "\"lost\""), 500);
		manager_die(manager, &capture);
	}
	run("rm -r $PWD");
}
END_TEST

/* `nohype recover` then has nothing to tell. */
START_TEST(an_end_that_was_told_is_in_its_life)
{
	struct recovered recovered = RECOVERED_NONE;

	lived();
	ck_assert_int_eq(recover_lives(&recovered, top, top), 0);
	ck_assert_uint_eq(json_array_size(recovered.lives), 0);
	recovered_free(&recovered);
	run("rm -r $PWD");
}
END_TEST

static void events_many(struct manager *manager, unsigned int count, size_t size)
{
	char *text = calloc(1, size + 1);

	memset(text, 'x', size);
	for (unsigned int i = 0; i < count; i++)
		event_add(manager, "test", NULL, json_pack("{s:s}", "text", text));
	free(text);
}

/* What was told of a VM is known still when the events that did are not kept any more; and the numbers go on. */
START_TEST(events_that_grow_long_are_made_shorter)
{
	struct capture capture;
	struct manager *manager;
	json_int_t last;

	lived();
	manager = manager_follow(&capture);
	events_many(manager, 170, 50000);
	ck_assert_int_gt(events_size(), 8000000);
	events_many(manager, EVENTS_KEPT, 1);
	last = manager->last_event;
	manager_die(manager, &capture);
	for (unsigned int i = 0; i < 2; i++) {
		manager = manager_follow(&capture);
		ck_assert_int_lt(events_size(), 2000000);
		ck_assert_int_eq(manager->last_event, last);
		ck_assert_uint_eq(json_array_size(manager->events), EVENTS_KEPT);
		ck_assert_uint_eq(told(manager, "\"gone\""), 0);
		ck_assert_int_eq(json_integer_value(json_object_get(manager->vms[0]->end, "code")), 1);
		ck_assert(!manager->vms[0]->ended_now);
		manager_die(manager, &capture);
	}
	/* and while nohyped runs */
	manager = manager_follow(&capture);
	events_many(manager, 170, 50000);
	ck_assert_int_lt(events_size(), 9000000);
	ck_assert_int_gt(manager->events_full, 8000000);
	manager_end(manager, &capture);
}
END_TEST

/* Its supervisor gave @fd, which becomes nohyped's; nobody can write to it, so clearing fails. */
static void fate_is(int fd, const char *fate)
{
	struct capture capture;
	struct manager *manager;

	life_make(started());
	manager = manager_begin(&capture);
	manager->vms[0]->memory_fd = fd;
	ck_assert_int_eq(vm_follow(manager, manager->vms[0]), 0);
	clearing_wait(manager, 0);
	ck_assert_uint_eq(told(manager, fate), 1);
	manager_end(manager, &capture);
}

START_TEST(memory_that_cannot_be_cleared_is_told_of)
{
	char path[sizeof(top) + 8];
	int fd = memfd_create("nohype-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	folders_make();
	ck_assert_int_eq(ftruncate(fd, MIB(2)), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	fate_is(fd, MEMORY_NOT_CLEARED);

	folders_make();
	run("truncate -s 2M memory");
	snprintf(path, sizeof(path), "%s/memory", top);
	fate_is(open(path, O_RDONLY | O_CLOEXEC), MEMORY_STAYS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("again");
	TCase *tc = tcase_create("again");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_end_is_told_once);
	tcase_add_test(tc, memory_that_systemd_kept_is_cleared);
	tcase_add_test(tc, memory_that_cannot_be_cleared_is_told_of);
	tcase_add_test(tc, a_life_is_told_from_its_begin);
	tcase_add_test(tc, an_older_life_is_not_told_again);
	tcase_add_test(tc, an_end_with_the_host_is_told_once);
	tcase_add_test(tc, a_long_life_has_its_end);
	tcase_add_test(tc, an_end_that_was_told_is_in_its_life);
	tcase_add_loop_test(tc, one_that_was_not_begun, 0, 2);
	tcase_add_test(tc, one_that_could_not_be_begun);
	tcase_add_loop_test(tc, a_life_that_was_cut_has_lasted, 0, 2);
	tcase_add_loop_test(tc, a_violation_stays_one, 0, 2);
	tcase_add_test(tc, one_that_was_deleted_is_forgotten);
	tcase_add_test(tc, one_that_was_being_deleted);
	tcase_add_test(tc, a_full_disk);
	tcase_add_test(tc, a_disk_that_was_full);
	tcase_add_test(tc, a_second_life_that_was_not_begun);
	tcase_add_test(tc, a_second_life_that_has_said_nothing);
	tcase_add_test(tc, events_that_a_target_has_had);
	tcase_add_test(tc, an_event_that_is_too_long);
	tcase_add_test(tc, a_life_that_events_know_nothing_of);
	tcase_add_test(tc, events_that_grow_long_are_made_shorter);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
