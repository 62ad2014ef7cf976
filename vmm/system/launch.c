// SPDX-License-Identifier: GPL-2.0-only
/* A supervisor: `nohype run --managed`, in a session of its own, so that it lives on when we don't. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/record.h"
#include "vmm/supervisor/supervisor.h"
#include "vmm/system/system.h"

#define EXIT_NO_EXEC 127
#define GO_FD	     (LIFE_FD + 1) /* until it begins */
#define FREE_FD	     (GO_FD + 1)

struct launch {
	char program[PATH_MAX]; /* beside this one */
	char *config, *report;
	int life, log, console, null;
	int go[2]; /* it waits at the one end for a word at the other, if it is to be a unit of its own; else -1 */
};

int program_find(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (len < 0)
		return fail(-errno, "/proc/self/exe: %s", strerror(errno));
	path[len] = '\0';
	snprintf(strrchr(path, '/') + 1, sizeof("nohype"), "nohype");
	return 0;
}

/* A new file of the VM's run-time folder; an older life's is no more. */
static int file_make(const struct manager *manager, const struct managed *vm, const char *name)
{
	char *path = path_make("%s/vm/%s/%s", manager->folders.run, vm->name, name);
	int fd = -1;

	if (path) {
		unlink(path);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	if (fd < 0)
		fd = fail(-errno, "\"%s/vm/%s/%s\": %s", manager->folders.run, vm->name, name, strerror(errno));
	free(path);
	return fd;
}

static int folder_make(const struct manager *manager, const struct managed *vm)
{
	char *path = path_make("%s/vm/%s", manager->folders.run, vm->name);
	int err = path ? 0 : -ENOMEM;

	if (path && mkdir(path, 0700) && errno != EEXIST)
		err = fail(-errno, "\"%s\": %s", path, strerror(errno));
	free(path);
	return err;
}

/* Its first record is ours: which run it is. The lock goes to the supervisor with the fd. */
static int life_make(const struct manager *manager, const struct managed *vm)
{
	int fd = file_make(manager, vm, "life"), err;
	char text[64];

	if (fd < 0)
		return fd;
	snprintf(text, sizeof(text), "{\"run\":%lld}", (long long)vm->run);
	err = flock(fd, LOCK_EX | LOCK_NB) ? -errno : record_append(fd, text);
	if (err)
		fd_close(&fd);
	return err ? fail(err, "\"%s/vm/%s/life\": %s", manager->folders.run, vm->name, strerror(-err)) : fd;
}

static int launch_open(struct launch *launch, const struct manager *manager, const struct managed *vm)
{
	int err = program_find(launch->program);

	launch->config = store_path(manager, vm->name);
	launch->report = path_make("%s/vm/%s/report", manager->folders.run, vm->name);
	if (!err && (!launch->config || !launch->report))
		err = -ENOMEM;
	if (!err)
		err = folder_make(manager, vm);
	if (err)
		return err;
	unlink(launch->report);
	launch->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	launch->log = file_make(manager, vm, "log");
	launch->console = file_make(manager, vm, "console");
	launch->life = life_make(manager, vm);
	if (scope_is_wanted() && pipe2(launch->go, O_CLOEXEC))
		return fail(-errno, "pipe: %s", strerror(errno));
	return launch->null < 0 || launch->log < 0 || launch->console < 0 || launch->life < 0 ? -EIO : 0;
}

static void launch_close(struct launch *launch)
{
	fd_close(&launch->null);
	fd_close(&launch->log);
	fd_close(&launch->console);
	fd_close(&launch->life);
	fd_close(&launch->go[0]);
	fd_close(&launch->go[1]);
	free(launch->config);
	free(launch->report);
}

/* Between fork and exec. The fds come last, as the first of them may be one of ours. */
static void launch_exec(const struct launch *launch, const char *name)
{
	char *const argv[] = { "nohype",
			       "run",
			       "--managed",
			       "--name",
			       (char *)name,
			       "--report",
			       (char *)launch->report,
			       (char *)launch->config,
			       NULL };
	int life = fcntl(launch->life, F_DUPFD, FREE_FD), go = fcntl(launch->go[0], F_DUPFD, FREE_FD);
	int log = fcntl(launch->log, F_DUPFD, FREE_FD), console = fcntl(launch->console, F_DUPFD, FREE_FD);
	sigset_t kept;

	/* this one waits until the supervisor takes it */
	sigemptyset(&kept);
	sigaddset(&kept, STOP_SIGNAL);
	sigprocmask(SIG_SETMASK, &kept, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (setsid() < 0 || chdir("/") || life < 0 || log < 0 || console < 0 || dup2(launch->null, STDIN_FILENO) < 0 ||
	    dup2(console, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 || dup2(life, LIFE_FD) < 0 ||
	    (go >= 0 && dup3(go, GO_FD, O_CLOEXEC) < 0) || syscall(SYS_close_range, go >= 0 ? FREE_FD : GO_FD, ~0U, 0))
		_exit(EXIT_NO_EXEC);
	if (go >= 0)
		scope_wait(GO_FD);
	execv(launch->program, argv);
	_exit(EXIT_NO_EXEC);
}

int vm_begin(struct manager *manager, struct managed *vm, json_t *event)
{
	json_int_t last = manager->last_event;
	int err = event_begin(manager, "start", vm, event);

	if (manager->last_event == last)
		return err;
	vm->state = "defined";
	vm->told = 0;
	vm->ordered = false;
	vm->restart_at = 0;
	vm->run = manager->last_event;
	if (err) {
		vm_not_begun(manager, vm, "it is not known whether its start is on the disk");
		restart_give_up(manager, vm);
	}
	return err;
}

int vm_launch(struct manager *manager, struct managed *vm)
{
	struct launch launch = { .life = -1, .log = -1, .console = -1, .null = -1, .go = { -1, -1 } };
	int err = launch_open(&launch, manager, vm);
	pid_t pid = err ? -1 : fork();

	if (pid == 0)
		launch_exec(&launch, vm->name);
	if (!err && pid < 0)
		err = fail(-errno, "fork: %s", strerror(errno));
	if (!err) {
		vm->pid = pid;
		vm->order = NULL;
	}
	if (!err && launch.go[1] >= 0) {
		scope_request(manager, vm, launch.go[1]);
		launch.go[1] = -1;
	}
	launch_close(&launch);
	if (err) {
		vm_not_begun(manager, vm, strerror(-err));
		restart_give_up(manager, vm);
		return err;
	}
	return vm_follow(manager, vm);
}
