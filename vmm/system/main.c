// SPDX-License-Identifier: GPL-2.0-only
/* nohyped: the system manager. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "pinning/host/host.h"
#include "vmm/recover/recover.h"
#include "vmm/system/system.h"

#define CONFIG		 "/etc/nohype/nohyped.json"
#define BEAT_MS		 5000
#define CLEARING_SECONDS 60  /* that systemd waits on, said anew after each BEAT_MS */
#define FULL_MS		 100 /* until it is tried again, where all connections are taken: ours, or a supervisor's */

enum { AT_SIGNAL, AT_WATCH, AT_HTTP, AT_MONITOR, AT_BUS, AT_LOOKS, AT_COUNT = AT_LOOKS + LOOKS };

static int folder_make(const char *folder, const char *in)
{
	char *path = path_make("%s%s", folder, in);
	int err = path ? 0 : -ENOMEM;

	if (path && mkdir(path, *in ? 0700 : 0755) && errno != EEXIST)
		err = fail(-errno, "\"%s\": %s", path, strerror(errno));
	free(path);
	return err;
}

/* One nohyped a folder: the lock lasts as long as @lock, which stays open. */
static int folder_lock(const char *folder, int *lock)
{
	*lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0)
		return fail(-errno, "\"%s\": %s", folder, strerror(errno));
	if (flock(*lock, LOCK_EX | LOCK_NB))
		return fail(-errno, "\"%s\": another nohyped uses it: stop that, or give --state and --run", folder);
	return 0;
}

static int folders_take(struct manager *manager)
{
	const struct folders *folders = &manager->folders;
	int err = folder_make(folders->state, "");

	err = err ? err : folder_make(folders->state, "/vms");
	err = err ? err : folder_make(folders->run, "");
	err = err ? err : folder_make(folders->run, "/vm");
	err = err ? err : folder_lock(folders->state, &manager->locks[0]);
	return err ? err : folder_lock(folders->run, &manager->locks[1]);
}

static int signals_take(struct manager *manager)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	/* ignored by who started this, our children would be gone before they are waited for */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	manager->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	manager->watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return manager->signal_fd < 0 || manager->watch_fd < 0 ? fail(-errno, "signalfd, inotify: %s", strerror(errno))
							       : 0;
}

/* Those that ran when an older nohyped ended: they run on, or have ended meanwhile. */
static int vms_find_again(struct manager *manager)
{
	for (unsigned int i = 0; i < manager->count; i++) {
		int err = vm_follow(manager, manager->vms[i]);

		if (err)
			return fail(err, "%s: its life can't be read: %s", manager->vms[i]->name, strerror(-err));
		manager->vms[i]->unended = false; /* from here on its life is what tells */
	}
	return 0;
}

/* Of those that were killed with an older nohyped: before anything of theirs goes back. False: told to end. */
static bool clearing_wait(struct manager *manager)
{
	for (unsigned int i = 0; i < manager->count; i++) {
		struct managed *vm = manager->vms[i];

		while (vm->clearing && vm->pid_fd >= 0) {
			struct pollfd fds[] = { { .fd = manager->signal_fd, .events = POLLIN },
						{ .fd = vm->pid_fd, .events = POLLIN } };

			service_starting(CLEARING_SECONDS);
			poll(fds, ARRAY_SIZE(fds), BEAT_MS);
			if (fds[0].revents)
				return false;
			if (fds[1].revents)
				vm_ended(manager, vm);
		}
	}
	return true;
}

static void ready_tell(struct manager *manager)
{
	unsigned int alive = 0;

	for (unsigned int i = 0; i < manager->count; i++)
		alive += vm_is_alive(manager->vms[i]);
	event_add(manager, "manager", NULL,
		  json_pack("{s:s, s:i, s:i, s:s}", "state", "ready", "vms", (int)manager->count, "running", (int)alive,
			    "boot", manager->boot));
	note("%u VMs, %u of them running; listening on \"%s/api.sock\"", manager->count, alive, manager->folders.run);
}

/* What the clearing of a file may take, or, if it can't be had, the wait for that. */
static void left_add(void *context, const char *file, pid_t pid)
{
	int fd = memory_left_open(HOST_STATE, file, pid);
	unsigned int *seconds = context;
	struct stat st;

	if (fd == -ENOENT)
		return;
	*seconds += CLEAR_SECONDS;
	if (fd >= 0 && !fstat(fd, &st))
		*seconds += (unsigned int)((uint64_t)st.st_size / CLEAR_BYTES);
	fd_close(&fd);
}

/* systemd ends who isn't ready in time (TimeoutStartSec=), and the next one would begin anew. */
static void left_await(void)
{
	unsigned int seconds = 0;

	memory_left_each(HOST_STATE, left_add, &seconds);
	if (seconds)
		service_starting(seconds);
}

/* What was left when an older nohyped and its VMs were killed together. That something can't be undone hinders none. */
static void host_recover(struct manager *manager)
{
	struct recovered recovered = RECOVERED_NONE;
	const char *run = manager->folders.run;

	if (geteuid() != 0)
		return;
	left_await();
	recover_claims(&recovered, run, "", HOST_STATE, "nohyped");
	recover_memory(&recovered, run, HOST_STATE, "nohyped");
	recover_host(&recovered, HOST_STATE);
	if (recovered_any(&recovered)) {
		note("what killed VMs had left on the host is undone");
		event_add(manager, "recovered", NULL, recovered_json(&recovered));
	}
	recovered_free(&recovered);
}

static int http_fd(struct MHD_Daemon *daemon)
{
	return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static int timeout_find(struct manager *manager)
{
	MHD_UNSIGNED_LONG_LONG left, least = BEAT_MS;
	int64_t restart = vms_restart(manager) / 1000000 + 1, scope = scopes_next(manager) / 1000000 + 1,
		look = looks_next(manager) / 1000000 + 1;

	least = MIN(least, (MHD_UNSIGNED_LONG_LONG)MIN(MIN(restart, scope), look));

	for (size_t i = 0; i < ARRAY_SIZE(manager->daemons); i++)
		if (MHD_get_timeout(manager->daemons[i], &left) == MHD_YES && left < least)
			least = left;
	if (http_is_full(manager) || orders_wait(manager))
		least = MIN(least, FULL_MS);
	return (int)least;
}

static void watch_take(struct manager *manager)
{
	char events[4096];

	while (read(manager->watch_fd, events, sizeof(events)) > 0)
		;
	for (unsigned int i = 0; i < manager->count; i++)
		vm_read(manager, manager->vms[i]);
}

/* Its last record, which is taken when its process has ended and no sooner, was there. */
static bool vm_is_over(const struct managed *vm)
{
	return vm_is_alive(vm) && strcmp(vm->state, "gone") == 0;
}

static bool serve_once(struct manager *manager)
{
	struct pollfd fds[AT_COUNT + VMS_MAX] = {
		[AT_SIGNAL] = { .fd = manager->signal_fd, .events = POLLIN },
		[AT_WATCH] = { .fd = manager->watch_fd, .events = POLLIN },
		[AT_HTTP] = { .fd = http_fd(manager->daemons[0]), .events = POLLIN },
		[AT_MONITOR] = { .fd = http_fd(manager->daemons[1]), .events = POLLIN },
		[AT_BUS] = scopes_run(manager),
	};
	unsigned int count = manager->count;
	int ready;

	for (unsigned int i = 0; i < count; i++)
		vm_find_process(manager, manager->vms[i]);
	for (unsigned int i = 0; i < count; i++)
		fds[AT_COUNT + i] = (struct pollfd){ .fd = manager->vms[i]->pid_fd, .events = POLLIN };
	looks_poll(manager, &fds[AT_LOOKS]);
	targets_run(&manager->targets, manager->folders.state, manager->last_stored);
	ready = poll(fds, AT_COUNT + count, timeout_find(manager));
	if (clock_now() >= manager->next_beat) {
		manager->next_beat = clock_now() + BEAT_MS * INT64_C(1000000);
		events_retry(manager);
		streams_beat(manager);
		memories_hold(manager);
		service_alive();
	}
	if (ready > 0 && fds[AT_WATCH].revents)
		watch_take(manager);
	/* one whose end was read just now is over, before anyone who is told of it asks for another start */
	for (unsigned int i = 0; ready > 0 && i < count; i++)
		if (fds[AT_COUNT + i].revents || vm_is_over(manager->vms[i]))
			vm_ended(manager, manager->vms[i]);
	looks_run(manager);
	http_serve(manager);
	return !(ready > 0 && fds[AT_SIGNAL].revents);
}

static int manager_run(struct manager *manager)
{
	int err = folders_take(manager);

	err = err ? err : signals_take(manager);
	err = err ? err : vms_load(manager);
	err = err ? err : events_open(manager);
	err = err ? err : vms_find_again(manager);
	if (!err && !clearing_wait(manager))
		return EXIT_CLEAN;
	if (!err) {
		stored_strays(manager);
		host_recover(manager);
		ready_tell(manager);
	}
	err = err ? err : http_open(manager);
	if (err)
		return EXIT_ERROR;
	stored_end(manager);
	service_ready();
	while (serve_once(manager))
		;
	service_ending();
	events_retry(manager);
	http_close(manager);
	note("ended; VMs that run go on");
	return EXIT_CLEAN;
}

static void usage(void)
{
	puts("Usage: nohyped [OPTION...]\n\n"
	     "The system manager: runs VMs for whoever asks by HTTP on RUN/api.sock. VMs outlive it.\n\n"
	     "Options:\n"
	     "  --state DIR  what lasts: configurations, events (default: /var/lib/nohype)\n"
	     "  --run DIR    sockets, logs and reports of this boot (default: /run/nohype)\n"
	     "  --config FILE  who is notified of events, and how many requests are taken (see nohyped(8)); default: "
	     "/etc/nohype/nohyped.json, if it is "
	     "there\n"
	     "  --version    show the version\n"
	     "  -h, --help   show this help");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "state", required_argument, NULL, 's' },  { "run", required_argument, NULL, 'r' },
		{ "config", required_argument, NULL, 'c' }, { "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },	    { 0 },
	};
	static struct manager manager = { .folders = { "/var/lib/nohype", "/run/nohype" } };
	const char *config = NULL;
	int value;

	while ((value = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (value == 's')
			manager.folders.state = optarg;
		else if (value == 'r')
			manager.folders.run = optarg;
		else if (value == 'c')
			config = optarg;
		else if (value == 'v')
			return puts("nohyped " NOHYPE_VERSION) < 0;
		else if (value == 'h')
			return usage(), EXIT_CLEAN;
		else
			return EXIT_USAGE;
	}
	if (optind < argc) {
		fail(-EINVAL, "nohyped: wanted options alone: see nohyped --help");
		return EXIT_USAGE;
	}
	service_begin(&manager.service);
	if (!config && !access(CONFIG, F_OK))
		config = CONFIG;
	if (targets_read(&manager.targets, config) || limit_read(&manager.limit, manager.targets.requests))
		return EXIT_USAGE;
	return manager_run(&manager);
}
