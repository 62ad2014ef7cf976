// SPDX-License-Identifier: GPL-2.0-only
/* The terminal while something else than lines is on it: its other screen, no cursor, no echo; and the way back. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/cli/view.h"

/* ECMA-48 and xterm's: the other screen, and no cursor; home; clear to the end of line, of screen. */
#define ENTER	   "\033[?1049h\033[?25l\033[H\033[2J"
#define LEAVE	   "\033[?25h\033[?1049l"
#define HOME	   "\033[H"
#define LINE_END   "\033[K"
#define SCREEN_END "\033[J"

struct screen {
	int signals;
	bool ours; /* standard input is our terminal, and changed */
	bool keys; /* and still says something */
	struct termios before;
};

static bool all_write(const char *text, size_t len)
{
	while (len) {
		ssize_t done = write(STDOUT_FILENO, text, len);

		if (done < 0 && errno != EINTR)
			return false;
		text += MAX(done, 0);
		len -= (size_t)MAX(done, 0);
	}
	return true;
}

static void terminal_take(struct screen *screen)
{
	struct termios quiet;

	screen->ours = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp() &&
		       !tcgetattr(STDIN_FILENO, &screen->before);
	screen->keys = screen->ours;
	if (screen->ours) {
		quiet = screen->before;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
		tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	}
	all_write(ENTER, strlen(ENTER));
}

static void terminal_give_back(const struct screen *screen)
{
	all_write(LEAVE, strlen(LEAVE));
	if (screen->ours)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

static void signals_list(sigset_t *set)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH };

	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(set, signals[i]);
}

struct screen *screen_enter(void)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	sigset_t set;

	if (!screen)
		return NULL;
	signals_list(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen->signals < 0) {
		fail(-errno, "signalfd: %s", strerror(errno));
		free(screen);
		return NULL;
	}
	terminal_take(screen);
	return screen;
}

void screen_leave(struct screen *screen)
{
	sigset_t set;

	terminal_give_back(screen);
	fd_close(&screen->signals);
	signals_list(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	free(screen);
}

void screen_size(int *columns, int *rows)
{
	struct winsize size;

	*columns = 80;
	*rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
		return;
	*columns = size.ws_col;
	*rows = size.ws_row;
}

bool screen_show(const char *text)
{
	bool shown = all_write(HOME, strlen(HOME));

	while (shown && *text) {
		size_t len = strcspn(text, "\n");

		shown = all_write(text, len) && all_write(LINE_END, strlen(LINE_END));
		text += len;
		if (shown && *text) {
			shown = all_write("\r\n", 2);
			text++;
		}
	}
	return shown && all_write(SCREEN_END, strlen(SCREEN_END));
}

/* As if it had never been blocked: the shell sees what ended or stopped us. */
static void signal_again(int number)
{
	sigset_t one;

	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	/* here once more if it only stopped us */
	sigprocmask(SIG_BLOCK, &one, NULL);
}

static enum screen_event signal_take(struct screen *screen)
{
	struct signalfd_siginfo info;

	if (read(screen->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return SCREEN_TIMEOUT;
	switch (info.ssi_signo) {
	case SIGWINCH:
		return SCREEN_RESIZED;
	case SIGINT:
		return SCREEN_QUIT;
	default:
		terminal_give_back(screen);
		signal_again((int)info.ssi_signo);
		terminal_take(screen);
		return SCREEN_RESIZED;
	}
}

enum screen_event screen_wait(struct screen *screen, int ms)
{
	struct pollfd fds[] = { { .fd = screen->signals, .events = POLLIN },
				{ .fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN } };
	char key = 0;

	if (poll(fds, ARRAY_SIZE(fds), ms) <= 0)
		return SCREEN_TIMEOUT;
	if (fds[0].revents)
		return signal_take(screen);
	if (read(STDIN_FILENO, &key, 1) != 1)
		screen->keys = false;
	return key == 'q' || key == 'Q' ? SCREEN_QUIT : SCREEN_RESIZED;
}
