// SPDX-License-Identifier: GPL-2.0-only
/* While the guest runs: console bytes both ways, signals, and the core manager's end. Nothing here waits for anyone. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

/* A pipe that can be written takes PIPE_BUF bytes at once; a terminal that can, this many (drivers/tty: WAKEUP_CHARS).
 */
#define PIPE_CHUNK 4096
#define TTY_CHUNK  128

#define RINGS_PATIENCE 3000 /* ms that a ring process has for a dead guest's last words; it takes less */

struct stream {
	char bytes[PIPE_CHUNK];
	size_t count;
	bool closed;
};

struct console {
	struct terminal *terminal;
	size_t out_chunk;
	struct stream out; /* guest to standard output */
	struct stream in;  /* standard input to guest */
};

/* Of each vCPU, after those that are the VM's. */
enum { AT_TRIPWIRE, AT_SILENT, AT_LOG, EVENTS_A_VCPU };

enum { AT_SIGNAL, AT_EVENT, AT_CORE, AT_CONSOLE, AT_IN, AT_OUT, AT_CONTROL, AT_RINGS, AT_OTHER, AT_COUNT };

static void stream_drop(struct stream *stream, size_t count)
{
	stream->count -= count;
	memmove(stream->bytes, stream->bytes + count, stream->count);
}

void vm_stop(struct vm *vm, enum exit_code code, const char *reason)
{
	if (!vm->stop_reason) {
		step_say(vm, code == EXIT_CLEAN ? SEQUENCE_STOP : SEQUENCE_ABORT, STEP_ORDER);
		vm->stop_reason = reason;
		vm->stop_code = code;
	}
	core_kill(vm);
}

static void signal_take(struct vm *vm)
{
	struct signalfd_siginfo info;

	if (read(vm->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		vm_stop(vm, EXIT_ABORTED, "the terminal went away, and the guest was ended");
	else
		vm_stop(vm, EXIT_CLEAN, "stopped by a signal");
}

static void out_read(struct vm *vm, struct console *con)
{
	ssize_t len = recv(vm->console_fd, con->out.bytes, sizeof(con->out.bytes), MSG_DONTWAIT);

	if (len > 0)
		con->out.count = (size_t)len;
	else if (len == 0 || (errno != EAGAIN && errno != EINTR))
		con->out.closed = true;
}

static void out_write(struct vm *vm, struct console *con)
{
	ssize_t len = write(STDOUT_FILENO, con->out.bytes, MIN(con->out.count, con->out_chunk));

	if (len >= 0) {
		stream_drop(&con->out, (size_t)len);
		if (vm->opt->managed)
			life_console();
	} else if (errno == ENOSPC && vm->opt->managed) {
		con->out.count = 0; /* /run is full, by whomever: no reason to end it */
	} else if (errno != EINTR && errno != EAGAIN) {
		con->out = (struct stream){ .closed = true };
		vm_stop(vm, EXIT_ABORTED, "the console's reader went away, and the guest was ended");
	}
}

static void in_read(struct vm *vm, struct console *con)
{
	ssize_t len = read(STDIN_FILENO, con->in.bytes, sizeof(con->in.bytes));
	bool quit = false;

	if (len > 0)
		con->in.count = terminal_filter(con->terminal, con->in.bytes, (size_t)len, &quit);
	else if (len == 0 || errno != EINTR)
		con->in.closed = true;
	if (quit)
		vm_stop(vm, EXIT_CLEAN, "ended by Ctrl-A x");
}

static void in_write(struct vm *vm, struct console *con)
{
	ssize_t len = send(vm->console_fd, con->in.bytes, con->in.count, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (len > 0)
		stream_drop(&con->in, (size_t)len);
	else if (errno != EAGAIN && errno != EINTR)
		con->in.count = 0;
}

static void polls_fill(const struct vm *vm, const struct console *con, struct pollfd *fds)
{
	short console = 0;

	if (!con->out.count && !con->out.closed)
		console |= POLLIN;
	if (con->in.count)
		console |= POLLOUT;
	fds[AT_SIGNAL] = (struct pollfd){ .fd = vm->signal_fd, .events = POLLIN };
	fds[AT_EVENT] = (struct pollfd){ .fd = vm->event_fd, .events = POLLIN };
	fds[AT_CORE] = (struct pollfd){ .fd = vm->core_pidfd, .events = POLLIN };
	fds[AT_CONSOLE] = (struct pollfd){ .fd = console ? vm->console_fd : -1, .events = console };
	fds[AT_IN] = (struct pollfd){ .fd = con->in.count || con->in.closed ? -1 : STDIN_FILENO, .events = POLLIN };
	fds[AT_CONTROL] = control_poll(vm);
	fds[AT_OUT] = (struct pollfd){ .fd = con->out.count ? STDOUT_FILENO : -1, .events = POLLOUT };
	fds[AT_RINGS] = (struct pollfd){ .fd = vm->rings.fd, .events = POLLIN };
	fds[AT_OTHER] = (struct pollfd){ .fd = vm->seal.sealed ? vm->seal.other.fd : -1, .events = POLLIN };
}

static void console_serve(struct vm *vm, struct console *con, const struct pollfd *fds)
{
	if (fds[AT_CONSOLE].revents & (POLLIN | POLLHUP | POLLERR) && !con->out.count)
		out_read(vm, con);
	if (fds[AT_CONSOLE].revents & POLLOUT)
		in_write(vm, con);
	if (fds[AT_OUT].revents)
		out_write(vm, con);
	if (fds[AT_IN].revents && !vm->core_gone)
		in_read(vm, con);
}

/* What the guest had printed when it ended is still in the socket, or on its way through the ring process. */
static void console_drain(struct vm *vm, struct console *con)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	struct pollfd in = { .fd = vm->rings.fd >= 0 ? vm->console_fd : -1, .events = POLLIN };

	rings_end(vm);
	while (!con->out.closed || con->out.count) {
		if (in.fd >= 0 && !con->out.count && poll(&in, 1, RINGS_PATIENCE) <= 0)
			return;
		if (!con->out.count)
			out_read(vm, con);
		if (!con->out.count)
			return;		      /* closed, or nothing there, which is the same by now */
		if (poll(&out, 1, 1000) <= 0) /* a reader that is stuck for a second has had its chance */
			return;
		out_write(vm, con);
	}
}

/* ms until @after ms from the start, 0 if that is past, -1 if there is no such time. */
static int64_t time_left(const struct vm *vm, uint64_t after)
{
	int64_t left;

	if (!after)
		return -1;
	left = (int64_t)after - (clock_now() - vm->started) / 1000000;
	return left > 0 ? left : 0;
}

/* The time from the wish to the seal is the core manager's, and it may be the guest's by then: it gets so much. */
#define SEAL_PATIENCE 60000 /* ms; all memory is mapped in it */

static int64_t seal_time_left(struct vm *vm)
{
	int64_t left = SEAL_PATIENCE - (clock_now() - vm->seal.asked_at) / 1000000;

	if (vm->seal.sealed || vm->seal.level == SEAL_AUDIT)
		return -1;
	if (left <= 0)
		seal_late(vm);
	return MAX(left, 0);
}

/* The guest that hasn't asked to be sealed: when it is sealed unasked, or ended. For poll: ms until then, or -1. */
static int64_t seal_deadline(struct vm *vm)
{
	int64_t after = time_left(vm, vm->cfg->seal_after), within = time_left(vm, vm->cfg->seal_within);

	if (vm->seal.asked)
		return seal_time_left(vm);
	if (after == 0) {
		seal_ask(vm);
		if (vm->seal.asked)
			return 0;
		after = -1; /* their event wakes us */
	}
	if (within == 0)
		vm_stop(vm, EXIT_ABORTED, "it did not ask to be sealed within seal.within, and was ended");
	return after < 0 || (within >= 0 && within < after) ? within : after;
}

/* A record of a tripwire's, and what the kernel did of itself is done once more, in case a debugger had the signal. */
static bool tripwire_fired(const struct vm *vm, const struct pollfd *fds)
{
	for (unsigned int i = 0; i < EVENTS_A_VCPU * vm->seal.count; i++)
		if (i % EVENTS_A_VCPU != AT_LOG && fds[i].revents & POLLIN)
			return true;
	return false;
}

static bool log_is_filling(const struct vm *vm, const struct pollfd *fds)
{
	for (unsigned int i = AT_LOG; i < EVENTS_A_VCPU * vm->seal.count; i += EVENTS_A_VCPU)
		if (fds[i].revents & POLLIN)
			return true;
	return false;
}

static void vcpus_fill(const struct vm *vm, struct pollfd *fds)
{
	for (unsigned int i = 0; i < vm->seal.count; i++, fds += EVENTS_A_VCPU) {
		const struct watched_vcpu *vcpu = &vm->seal.vcpus[i];

		fds[AT_TRIPWIRE] = (struct pollfd){ .fd = vm->seal.sealed ? vcpu->tripwire.fd : -1, .events = POLLIN };
		fds[AT_SILENT] = (struct pollfd){ .fd = vm->seal.settled ? vcpu->silent.fd : -1, .events = POLLIN };
		fds[AT_LOG] = (struct pollfd){ .fd = vcpu->log ? vcpu->log->event.fd : -1, .events = POLLIN };
	}
}

/* All that is done when a time comes; ms until the next, or -1. */
static int deadlines_serve(struct vm *vm)
{
	static int64_t (*const watches[])(struct vm * vm) = {
		seal_deadline, seal_watch,	exceptions_watch, polled_watch, report_watch,
		rings_watch,   functions_watch, control_watch,	  host_watch,
	};
	int64_t next = -1;

	for (size_t i = 0; i < ARRAY_SIZE(watches) && !vm->core_gone; i++) {
		int64_t left = watches[i](vm);

		if (left >= 0 && (next < 0 || left < next))
			next = left;
	}
	return (int)MIN(next, (int64_t)INT_MAX);
}

/* Each has its turn, whatever comes at the others, but the dead need none. */
static void turns_give(struct vm *vm, struct console *con, const struct pollfd *fds)
{
	if (fds[AT_EVENT].revents && !events_receive(vm))
		core_kill(vm); /* it hung up, so it ended or must */
	if (!vm->core_gone && fds[AT_SIGNAL].revents)
		signal_take(vm);
	if (!vm->core_gone)
		control_turn(vm, &fds[AT_CONTROL]);
	if (!vm->core_gone && fds[AT_CORE].revents)
		core_kill(vm);
	if (!vm->core_gone && fds[AT_RINGS].revents)
		rings_receive(vm);
	if (!vm->core_gone)
		console_serve(vm, con, fds);
}

static void watch_once(struct vm *vm, struct console *con)
{
	struct pollfd fds[AT_COUNT + EVENTS_A_VCPU * VM_VCPUS_MAX];
	int timeout = deadlines_serve(vm);

	if (vm->core_gone)
		return;
	polls_fill(vm, con, fds);
	vcpus_fill(vm, fds + AT_COUNT);
	if (poll(fds, AT_COUNT + EVENTS_A_VCPU * vm->seal.count, timeout) < 0 && errno != EINTR) {
		fail(-errno, "poll: %s", strerror(errno));
		vm_stop(vm, EXIT_ERROR, "the supervisor can't watch any more");
		return;
	}
	if (fds[AT_OTHER].revents & POLLIN || tripwire_fired(vm, fds + AT_COUNT)) {
		core_kill(vm);
		return;
	}
	if (log_is_filling(vm, fds + AT_COUNT))
		ledger_read(vm);
	turns_give(vm, con, fds);
}

void vm_watch(struct vm *vm)
{
	struct console con = { .out_chunk = isatty(STDOUT_FILENO) ? TTY_CHUNK : PIPE_CHUNK };

	con.terminal = terminal_open("ends it");
	con.in.closed = !terminal_is_input(con.terminal);
	while (!vm->core_gone)
		watch_once(vm, &con);
	events_receive(vm); /* its last words may have come with its end */
	console_drain(vm, &con);
	terminal_restore(con.terminal);
}
