// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "base/fd.h"
#include "vmm/rings/process.h"

#define BEAT_MAX (7u * 24 * 60 * 60 * 1000) /* ms: a week, the longest time that a configuration can say */

int start_check(const struct rings_start *start)
{
	if (start->magic != RINGS_START_MAGIC || start->version != RINGS_START_VERSION || start->size != sizeof(*start))
		return -EPROTO;
	if (!start->supervisor_pid || start->reserved || start->beat_ms > BEAT_MAX)
		return -EPROTO;
	return start->beat_ms && !start->beats_missed ? -EPROTO : 0;
}

int start_receive(int socket, struct rings_process *process)
{
	int fds[RINGS_FDS];
	ssize_t len = fd_receive(socket, &process->start, sizeof(process->start), fds, RINGS_FDS, 0);

	if (len < 0)
		return (int)len;
	for (unsigned int i = 0; i < RINGS_FDS; i++)
		if (fds[i] < 0)
			return -EPROTO;
	if (len != (ssize_t)sizeof(process->start))
		return -EPROTO;
	process->memory_fd = fds[RINGS_FD_MEMORY];
	process->serial_fd = fds[RINGS_FD_SERIAL];
	for (unsigned int i = 0; i < CLIENTS_MAX; i++)
		process->clients[i].fd = -1;
	process->clients[0].fd = fds[RINGS_FD_TERMINAL];
	return start_check(&process->start);
}
