// SPDX-License-Identifier: GPL-2.0-only
/* `nohype console`, through a VM's ring process. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/attach.h"
#include "vmm/rings/messages.h"
#include "vmm/supervisor/control.h"
#include "vmm/supervisor/terminal.h"

int vm_attach(const struct command *cmd, const char *name, const char *word)
{
	static const struct timeval forever = { 0 };
	char text[CONTROL_TEXT_MAX];
	json_t *answer;
	bool rings;
	int fd = control_attach(name, word, text, sizeof(text));

	if (fd < 0)
		return -1;
	answer = answer_parse(cmd, text);
	rings = json_is_true(json_object_get(answer, "rings"));
	if (answer && !rings)
		fail(-ENOTSUP, "\"%s\": it has no rings: wanted \"rings\": true in its configuration, or --rings on",
		     name);
	json_decref(answer);
	if (!rings) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	return fd;
}

int vm_detached(const char *name)
{
	char text[CONTROL_TEXT_MAX];

	if (control_try(name, "exits", text, sizeof(text)))
		return 0;
	return fail(-EIO,
		    "\"%s\": cut off, while it runs on: what it sent was not taken for too long, or too many look",
		    name);
}

int output_write(const char *bytes, ssize_t len)
{
	while (len > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, (size_t)len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail(-errno, "standard output: %s", strerror(errno));
		bytes += written;
		len -= written;
	}
	return 0;
}

/* One packet to standard output. 1: one was; 0: the VM has ended; negative errno, reported. */
static int packet_pass(int fd)
{
	char packet[RINGS_PACKET_MAX];
	ssize_t len = recv(fd, packet, sizeof(packet), 0);
	int err;

	if (len < 0 && errno == EINTR)
		return 1;
	if (len <= 0)
		return 0;
	err = output_write(packet, len);
	return err ? err : 1;
}

struct session {
	int fd;
	int signal_fd;
	struct terminal *terminal;
	bool input; /* standard input is open */
	bool quit;
};

static void window_send(const struct session *session)
{
	struct winsize size;
	char packet[1 + 2 * sizeof(uint16_t)] = { RINGS_PACKET_WINDOW };

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		return;
	memcpy(packet + 1, &size.ws_row, sizeof(uint16_t));
	memcpy(packet + 1 + sizeof(uint16_t), &size.ws_col, sizeof(uint16_t));
	(void)send(session->fd, packet, sizeof(packet), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void signal_take(struct session *session)
{
	struct signalfd_siginfo info;

	if (read(session->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		window_send(session);
	else
		session->quit = true;
}

/*
 * At a guest that takes nothing in one types in vain when there is no room for more, but for the escape; what comes
 * from a file or a pipe waits.
 */
static void input_pass(struct session *session)
{
	char packet[1024] = { RINGS_PACKET_BYTES };
	ssize_t len = read(STDIN_FILENO, packet + 1, sizeof(packet) - 1);
	int flags = MSG_NOSIGNAL | (isatty(STDIN_FILENO) ? MSG_DONTWAIT : 0);
	size_t kept;

	if (len <= 0) {
		session->input = len < 0 && errno == EINTR;
		return;
	}
	kept = terminal_filter(session->terminal, packet + 1, (size_t)len, &session->quit);
	if (kept && send(session->fd, packet, kept + 1, flags) < 0 && errno != EAGAIN)
		session->input = false;
}

/* 0: left, by the escape or a signal; else the VM has ended. */
static int session_run(struct session *session)
{
	int passed = 1;

	while (passed > 0 && !session->quit) {
		struct pollfd fds[] = {
			{ .fd = session->fd, .events = POLLIN },
			{ .fd = session->signal_fd, .events = POLLIN },
			{ .fd = session->input ? STDIN_FILENO : -1, .events = POLLIN },
		};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return fail(-errno, "poll: %s", strerror(errno));
		if (fds[0].revents)
			passed = packet_pass(session->fd);
		else if (fds[1].revents)
			signal_take(session);
		else if (fds[2].revents)
			input_pass(session);
	}
	return passed;
}

static int signals_open(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int console_main(const struct command *cmd, int argc, char **argv)
{
	struct session session = { .input = true };
	int passed;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (!vm_name_check(cmd, argc == 2 ? argv[1] : NULL))
		return EXIT_USAGE;
	session.fd = vm_attach(cmd, argv[1], "console");
	if (session.fd < 0)
		return EXIT_ERROR;
	session.signal_fd = signals_open();
	session.terminal = terminal_open("leaves it");
	session.input = terminal_is_input(session.terminal);
	window_send(&session);
	passed = session_run(&session);
	terminal_restore(session.terminal);
	if (!session.quit && passed == 0)
		passed = vm_detached(argv[1]);
	close(session.fd);
	return passed < 0 ? EXIT_ERROR : EXIT_CLEAN;
}
