// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `nohype` tells of the host. A process of its own looks: sysfs takes its time, and hangs where a device does, and
 * only who has asked shall wait for that. There is one at a time of each, and what it said stands for a while, so that
 * many who ask often make no more work than one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/system/system.h"

#define PATIENCE (30 * INT64_C(1000000000)) /* ns */
#define TEXT_MAX MIB(4)

static const struct {
	enum route_id route;
	const char *argv[5];
	int64_t stands; /* ns: doctor tries a guest, which is more */
} kinds[LOOKS] = {
	{ ROUTE_TOPOLOGY, { "nohype", "host", "topology", "--json" }, INT64_C(1000000000) },
	{ ROUTE_DOCTOR, { "nohype", "doctor", "--json" }, 10 * INT64_C(1000000000) },
};

/* Between fork and exec. It doesn't outlive us: nobody would take what it says. */
static void look_exec(const char *program, const char *const *argv, int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(out, STDOUT_FILENO) < 0 || syscall(SYS_close_range, 3U, ~0U, 0))
		_exit(EXIT_ERROR);
	execv(program, (char *const *)argv);
	_exit(EXIT_ERROR);
}

/* Into a file of no name: no pipe, which could be full. */
static int look_begin(struct look *look, const char *const *argv, json_int_t event)
{
	char program[PATH_MAX];
	int err = program_find(program);

	if (err)
		return err;
	look->out_fd = memfd_create("look", MFD_CLOEXEC);
	if (look->out_fd < 0)
		return -errno;
	look->pid = fork();
	if (look->pid == 0)
		look_exec(program, argv, look->out_fd);
	if (look->pid < 0) {
		err = -errno;
		look->pid = 0;
		fd_close(&look->out_fd);
		return err;
	}
	look->pid_fd = (int)syscall(SYS_pidfd_open, look->pid, 0);
	look->begun = clock_now();
	look->event = event;
	look->late = false;
	free(look->text);
	look->text = NULL;
	return 0;
}

/* Exit code 3 is an answer too: the host can't keep all that there is to keep. */
static void text_take(struct look *look, int status)
{
	struct stat st;

	if (!WIFEXITED(status))
		snprintf(look->why, sizeof(look->why), "signal %d has ended it", WTERMSIG(status));
	else if (WEXITSTATUS(status) != EXIT_CLEAN && WEXITSTATUS(status) != EXIT_HOST)
		snprintf(look->why, sizeof(look->why), "exit code %d: nohyped's messages say why", WEXITSTATUS(status));
	else if (fstat(look->out_fd, &st) || !st.st_size || st.st_size > (off_t)TEXT_MAX)
		snprintf(look->why, sizeof(look->why), "its answer is empty, or over %d MiB", (int)(TEXT_MAX >> 20));
	else if (!(look->text = malloc((size_t)st.st_size)))
		snprintf(look->why, sizeof(look->why), "no memory for its answer");
	else
		look->len = (size_t)MAX(pread(look->out_fd, look->text, (size_t)st.st_size, 0), 0);
}

static void waiting_wake(struct look *look)
{
	for (struct request *next, *request = look->waiting; request; request = next) {
		next = request->next;
		MHD_resume_connection(request->connection);
	}
	look->waiting = NULL;
}

static void look_run(struct look *look)
{
	int status;

	if (waitpid(look->pid, &status, WNOHANG) == look->pid) {
		look->pid = 0;
		fd_close(&look->pid_fd);
		text_take(look, status);
		fd_close(&look->out_fd);
		waiting_wake(look);
	} else if (!look->late && clock_now() - look->begun > PATIENCE) {
		look->late = true; /* which isn't to say that it ends */
		kill(look->pid, SIGKILL);
		waiting_wake(look);
	}
}

void looks_run(struct manager *manager)
{
	for (size_t i = 0; i < LOOKS; i++)
		if (manager->looks[i].pid)
			look_run(&manager->looks[i]);
}

void looks_poll(const struct manager *manager, struct pollfd *fds)
{
	for (size_t i = 0; i < LOOKS; i++)
		fds[i] = (struct pollfd){ .fd = manager->looks[i].pid ? manager->looks[i].pid_fd : -1,
					  .events = POLLIN };
}

int64_t looks_next(const struct manager *manager)
{
	int64_t now = clock_now(), least = INT64_MAX;

	for (size_t i = 0; i < LOOKS; i++)
		if (manager->looks[i].pid && !manager->looks[i].late)
			least = MIN(least, MAX(manager->looks[i].begun + PATIENCE - now, 0));
	return least;
}

void looks_wake(struct manager *manager)
{
	for (size_t i = 0; i < LOOKS; i++)
		waiting_wake(&manager->looks[i]);
}

/* Is what was said of the time when it was asked for, or so little older that nothing has become known since? */
static bool look_stands(const struct look *look, const struct request *request, int64_t stands)
{
	return !look->pid && look->begun && look->event >= request->event && look->begun >= request->asked - stands;
}

static void look_tell(const struct look *look, const char *const *argv, struct answer *answer)
{
	if (!look->text) {
		answer_problem(answer, 503, NULL, "nohype %s: %s", argv[1], look->why);
		return;
	}
	answer->body = malloc(look->len);
	answer->status = answer->body ? 200 : 500;
	answer->type = "application/json";
	answer->len = answer->body ? look->len : 0;
	if (answer->body)
		memcpy(answer->body, look->text, look->len);
}

void look_answer(struct request *request, struct answer *answer)
{
	size_t kind = kinds[0].route == request->route.id ? 0 : 1;
	struct look *look = &request->manager->looks[kind];
	const char *const *argv = kinds[kind].argv;
	int err = 0;

	if (look_stands(look, request, kinds[kind].stands)) {
		look_tell(look, argv, answer);
		return;
	}
	if (request->manager->ending || (look->pid && look->late)) {
		answer_problem(answer, 503, NULL, "nohype %s: no answer yet: %s", argv[1],
			       request->manager->ending ? "nohyped ends" : "it has taken more than 30 s");
		return;
	}
	if (!look->pid)
		err = look_begin(look, argv, request->manager->last_event);
	if (err) {
		answer_problem(answer, 503, NULL, "nohype %s: can't be run: %s", argv[1], strerror(-err));
		return;
	}
	request->next = look->waiting;
	look->waiting = request;
	MHD_suspend_connection(request->connection);
}
