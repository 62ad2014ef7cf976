// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/supervisor/terminal.h"

#define ESCAPE	    0x01 /* Ctrl-A */
#define ESCAPE_QUIT 'x'
#define LAST_FD	    (~0U)

struct terminal {
	struct termios saved;
	bool foreign; /* another process group's: who reads it from the background is stopped (SIGTTIN) */
	bool raw;
	bool escaped; /* the last byte was Ctrl-A */
	int guard_fd; /* a byte: no need to restore; end of file: we were killed */
};

/*
 * The guard: holds the terminal and one end of a pipe, and nothing of the VM. If this process is killed before it
 * could put the terminal back, the pipe ends and the guard does it.
 */
static void guard_wait(int fd, const struct termios *saved)
{
	sigset_t all;
	char byte;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL); /* SIGTTOU among them: by then we may not be in front */
	dup2(fd, STDOUT_FILENO);
	close_range(STDOUT_FILENO + 1, LAST_FD, 0);
	if (read(STDOUT_FILENO, &byte, 1) == 0)
		tcsetattr(STDIN_FILENO, TCSANOW, saved);
	_exit(0);
}

/* In two forks, so that it is no child of ours to be waited for. */
static int guard_start(struct terminal *terminal)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		if (fork() == 0)
			guard_wait(fds[0], &terminal->saved);
		_exit(0);
	}
	close(fds[0]);
	terminal->guard_fd = fds[1];
	return 0;
}

static void terminal_make_raw(struct terminal *terminal)
{
	struct termios raw = terminal->saved;

	cfmakeraw(&raw);
	raw.c_oflag |= OPOST; /* our own messages end in a plain newline */
	if (!tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		terminal->raw = true;
}

/* A terminal that isn't ours to read (we are in the background) is left alone. */
struct terminal *terminal_open(const char *escape)
{
	struct terminal *terminal = calloc(1, sizeof(*terminal));

	if (!terminal)
		return NULL;
	terminal->guard_fd = -1;
	terminal->foreign = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) != getpgrp();
	if (isatty(STDIN_FILENO) && !terminal->foreign && !tcgetattr(STDIN_FILENO, &terminal->saved)) {
		note("the terminal is the guest's now: Ctrl-A x %s", escape);
		if (!guard_start(terminal))
			terminal_make_raw(terminal);
	}
	return terminal;
}

bool terminal_is_input(const struct terminal *terminal)
{
	return terminal && !terminal->foreign;
}

void terminal_restore(struct terminal *terminal)
{
	if (!terminal)
		return;
	if (terminal->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->saved);
	if (terminal->guard_fd >= 0) {
		ssize_t told = write(terminal->guard_fd, "", 1);

		(void)told; /* if it can't be told it restores what is restored */
		close(terminal->guard_fd);
	}
	free(terminal);
}

size_t terminal_filter(struct terminal *terminal, char *bytes, size_t len, bool *quit)
{
	size_t kept = 0;

	*quit = false;
	if (!terminal || !terminal->raw)
		return len;
	for (size_t i = 0; i < len; i++) {
		if (!terminal->escaped && bytes[i] == ESCAPE) {
			terminal->escaped = true;
			continue;
		}
		if (terminal->escaped && bytes[i] == ESCAPE_QUIT)
			*quit = true;
		else
			bytes[kept++] = bytes[i]; /* Ctrl-A twice is one Ctrl-A */
		terminal->escaped = false;
	}
	return kept;
}
