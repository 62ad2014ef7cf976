// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "vmm/rings/process.h"

/* The guest may stop listening at once: whoever ordered it has a time limit. */
static void stop_ask(struct rings_process *process)
{
	bool listens = atomic_load(&process->shared->serves_requests) != 0;

	if (listens)
		atomic_store(&process->shared->request, RINGS_REQUEST_STOP);
	word_send(RINGS_WORD_ASKED, listens, "");
}

static bool order_client(struct rings_process *process, int *fd, enum client_kind kind, int64_t now)
{
	if (*fd < 0)
		return false;
	client_add(process, *fd, kind, now);
	*fd = -1;
	return true;
}

static bool order_take(struct rings_process *process, const struct rings_order *order, int *fd, int64_t now)
{
	switch (order->type) {
	case RINGS_SEALED:
		process->to_rings = true;
		heart_begin(&process->heart, now);
		return true;
	case RINGS_STOP:
		stop_ask(process);
		return true;
	case RINGS_FINISH:
		process->finish_by = now + FINISH_NS;
		return true;
	case RINGS_CONSOLE:
		return order_client(process, fd, CLIENT_CONSOLE, now);
	case RINGS_LOGS:
		return order_client(process, fd, CLIENT_LOGS, now);
	case RINGS_FOLLOW:
		return order_client(process, fd, CLIENT_FOLLOW, now);
	default:
		return false;
	}
}

bool order_receive(struct rings_process *process, int64_t now)
{
	struct rings_order order;
	int fd;
	ssize_t len = fd_receive(RINGS_SOCKET, &order, sizeof(order), &fd, 1, MSG_DONTWAIT);
	bool taken;

	if (len == -EAGAIN || len == -EINTR)
		return true;
	taken = len == (ssize_t)sizeof(order) && order_take(process, &order, &fd, now);
	fd_close(&fd);
	return taken;
}
