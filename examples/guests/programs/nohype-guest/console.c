// SPDX-License-Identifier: GPL-2.0-only
/* A login, or a program, on a terminal of its own, whose other end is the rings. */
#include "examples/guests/programs/nohype-guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define LOGIN	 "/bin/login"
#define SHELL	 "/bin/sh"
#define BUSY_MS	 4
#define IDLE_MS	 20
#define AGAIN_MS 500 /* between the end of one and the start of the next */

struct pipe {
	uint8_t bytes[4096];
	size_t at, count;
};

struct console {
	struct rings *rings;
	struct ring_end in, out;
	int master;
	uint32_t window;
	struct pipe typed, printed;
};

static void child_run(const char *terminal, char **command)
{
	char *const login[] = { LOGIN, NULL }, *const shell[] = { "-sh", NULL };
	int fd;

	/* who is started in the background by a shell ignores what Ctrl-C sends */
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	setsid();
	fd = open(terminal, O_RDWR); /* the first that a session without one opens is its controlling terminal */
	if (fd < 0)
		_exit(127);
	for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
		dup2(fd, stream);
	if (fd > STDERR_FILENO)
		close(fd);
	setenv("TERM", "vt102", 0);
	if (command)
		execvp(command[0], command);
	else
		execv(LOGIN, login);
	if (!command)
		execv(SHELL, shell);
	_exit(127);
}

static pid_t child_start(struct console *console, char **command)
{
	const char *terminal;
	pid_t pid;

	console->window = 0;
	console->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (console->master < 0 || grantpt(console->master) || unlockpt(console->master))
		return -1;
	terminal = ptsname(console->master);
	pid = terminal ? fork() : -1;
	if (pid == 0)
		child_run(terminal, command);
	return pid;
}

static void window_follow(struct console *console)
{
	uint32_t window = atomic_load(&console->rings->window);
	struct winsize size = { .ws_row = (unsigned short)(window >> 16), .ws_col = (unsigned short)window };

	if (!window || window == console->window)
		return;
	console->window = window;
	ioctl(console->master, TIOCSWINSZ, &size);
}

/* True: something moved. */
static bool typed_move(struct console *console)
{
	struct pipe *typed = &console->typed;
	ssize_t len;

	if (!typed->count) {
		typed->at = 0;
		typed->count = ring_take(&console->in, typed->bytes, sizeof(typed->bytes));
	}
	if (!typed->count)
		return false;
	len = write(console->master, typed->bytes + typed->at, typed->count);
	if (len <= 0)
		return false;
	typed->at += (size_t)len;
	typed->count -= (size_t)len;
	return true;
}

/* *@ended: the last that held the terminal is gone. */
static bool printed_move(struct console *console, bool *ended)
{
	struct pipe *printed = &console->printed;
	size_t put;

	if (!printed->count) {
		ssize_t len = read(console->master, printed->bytes, sizeof(printed->bytes));

		*ended = len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR);
		printed->at = 0;
		printed->count = len > 0 ? (size_t)len : 0;
	}
	put = ring_put(&console->out, printed->bytes + printed->at, printed->count);
	printed->at += put;
	printed->count -= put;
	return put;
}

static void console_serve(struct console *console)
{
	int wait = BUSY_MS;
	bool ended = false;

	while (!ended && !console->in.broken && !console->out.broken) {
		struct pollfd master = { .fd = console->printed.count ? -1 : console->master, .events = POLLIN };
		bool moved;

		poll(&master, 1, wait);
		window_follow(console);
		moved = printed_move(console, &ended);
		moved |= typed_move(console);
		wait = moved ? BUSY_MS : IDLE_MS;
	}
}

int console_main(int argc, char **argv)
{
	static struct console console;

	console.rings = rings_open(ROLE_CONSOLE);
	if (!console.rings)
		return EXIT_ERROR;
	setsid(); /* away from the serial port, if that started us; a leader stays what it is */
	console.in = ring_consume(&console.rings->console_in, console.rings->console_in_bytes, RINGS_CONSOLE_IN_SIZE);
	console.out =
		ring_produce(&console.rings->console_out, console.rings->console_out_bytes, RINGS_CONSOLE_OUT_SIZE);
	if (streams_close(STDIN_FILENO))
		return EXIT_ERROR;
	atomic_store(&console.rings->serves_console, 1);
	while (!console.in.broken && !console.out.broken) {
		pid_t pid = child_start(&console, argc ? argv : NULL);

		if (pid > 0)
			console_serve(&console);
		close(console.master);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		console.typed.count = 0;
		sleep_ms(AGAIN_MS);
	}
	return EXIT_ERROR;
}
