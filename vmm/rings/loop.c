// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "vmm/rings/process.h"

enum { AT_SUPERVISOR, AT_SERIAL, AT_CLIENTS, AT_COUNT = AT_CLIENTS + CLIENTS_MAX };

static struct rings *memory_map(int fd)
{
	void *map = mmap(NULL, RINGS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return NULL;
	if (madvise(map, RINGS_SIZE, MADV_POPULATE_WRITE) || madvise(map, RINGS_SIZE, MADV_DONTDUMP))
		return NULL;
	return map;
}

/* What the guest reads is written before it runs; what it may write is not read before the jail closes. */
int rings_map(struct rings_process *process)
{
	struct rings *shared = memory_map(process->memory_fd);

	if (!shared)
		return fail(-errno, "rings: map the shared memory: %s", strerror(errno));
	fd_close(&process->memory_fd);
	shared->magic = RINGS_MAGIC;
	shared->version = RINGS_VERSION;
	shared->size = RINGS_SIZE;
	shared->beat_ms = process->start.beat_ms;
	process->shared = shared;
	process->console_in = ring_end(&shared->console_in, shared->console_in_bytes, RINGS_CONSOLE_IN_SIZE);
	process->console_out = ring_end(&shared->console_out, shared->console_out_bytes, RINGS_CONSOLE_OUT_SIZE);
	process->log = ring_end(&shared->log, shared->log_bytes, RINGS_LOG_SIZE);
	process->heart = (struct heart){ .beat_ms = process->start.beat_ms, .missed = process->start.beats_missed };
	return 0;
}

static void polls_fill(struct rings_process *process, struct pollfd *fds, int64_t now)
{
	short typing = process->typed_count ? 0 : POLLIN;
	bool room = clients_room(process, &process->console, now) > 0;

	fds[AT_SUPERVISOR] = (struct pollfd){ .fd = RINGS_SOCKET, .events = POLLIN };
	fds[AT_SERIAL] = (struct pollfd){ .fd = room ? process->serial_fd : -1, .events = POLLIN };
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &process->clients[i];
		short out = client_is_behind(process, client) ? POLLOUT : 0;

		fds[AT_CLIENTS + i] = (struct pollfd){ .fd = client->fd, .events = typing | out };
	}
}

/* Of one after the other, when what was typed before is gone. Who hung up before has typed for nobody. */
static void clients_read(struct rings_process *process, const struct pollfd *fds)
{
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &process->clients[i];

		if (client->fd < 0 || fds[i].fd != client->fd)
			continue;
		if (!process->typed_count && fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			client_read(process, client);
		else if (fds[i].revents & (POLLHUP | POLLERR))
			client_drop(client);
	}
}

static bool is_finished(const struct rings_process *process, bool moved, int64_t now)
{
	if (!process->finish_by)
		return false;
	if (now > process->finish_by)
		return true;
	for (unsigned int i = 0; i < CLIENTS_MAX; i++)
		moved |= client_is_behind(process, &process->clients[i]);
	return !moved && process->serial_fd < 0;
}

static bool rings_once(struct rings_process *process, int timeout)
{
	struct pollfd fds[AT_COUNT];
	int64_t now = clock_now();
	bool moved = false;

	polls_fill(process, fds, now);
	if (poll(fds, AT_COUNT, timeout) < 0 && errno != EINTR)
		_exit(1);
	now = clock_now();
	if (fds[AT_SUPERVISOR].revents && !order_receive(process, now))
		_exit(0); /* and the kernel takes everything back */
	if (fds[AT_SERIAL].revents)
		moved |= serial_read(process, now);
	moved |= rings_pump(process, now);
	clients_read(process, fds + AT_CLIENTS);
	moved |= typed_pass(process);
	moved |= clients_flush(process, now);
	heart_check(&process->heart, process->shared, now);
	if (is_finished(process, moved, now))
		_exit(0);
	return moved;
}

/* The guest can't call: it is looked at, often while something comes, and seldom while nothing does. */
void rings_loop(struct rings_process *process)
{
	int timeout = POLL_BUSY;

	for (;;) {
		bool moved = rings_once(process, timeout);

		timeout = moved ? POLL_BUSY : timeout * 2 < POLL_IDLE ? timeout * 2 : POLL_IDLE;
	}
}
