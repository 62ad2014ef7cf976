// SPDX-License-Identifier: GPL-2.0-only
/* Between the guest and its readers: the serial port until it is gone, and the rings. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/rings/process.h"

bool serial_read(struct rings_process *process, int64_t now)
{
	size_t len = clients_room(process, &process->console, now);
	uint8_t *bytes = stream_next(&process->console, &len);
	ssize_t got;

	if (!len)
		return false;
	got = recv(process->serial_fd, bytes, len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		fd_close(&process->serial_fd);
		return false;
	}
	stream_add(&process->console, (size_t)got);
	return true;
}

/* To the serial port until the seal, to the ring after it. What nobody can take any more is lost. */
static size_t typed_put(struct rings_process *process)
{
	ssize_t sent;

	if (process->to_rings || process->serial_fd < 0) {
		size_t put = ring_put(&process->console_in, process->typed, process->typed_count);

		return process->console_in.broken ? process->typed_count : put;
	}
	sent = send(process->serial_fd, process->typed, process->typed_count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent >= 0)
		return (size_t)sent;
	return errno == EAGAIN || errno == EINTR ? 0 : process->typed_count;
}

bool typed_pass(struct rings_process *process)
{
	size_t gone = process->typed_count ? typed_put(process) : 0;

	process->typed_count -= gone;
	memmove(process->typed, process->typed + gone, process->typed_count);
	return gone;
}

/* At most to the buffer's end, and so a bounded amount. */
static bool ring_to_stream(struct rings_process *process, struct ring_end *ring, struct stream *stream, int64_t now)
{
	size_t len = clients_room(process, stream, now);
	uint8_t *bytes = stream_next(stream, &len);

	len = ring_take(ring, bytes, len);
	stream_add(stream, len);
	return len;
}

static void broken_tell(struct rings_process *process)
{
	const struct {
		const struct ring_end *end;
		const char *name;
	} ends[] = { { &process->console_in, "console in" },
		     { &process->console_out, "console out" },
		     { &process->log, "log" } };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (ends[i].end->broken && !process->told_broken) {
			warn("rings: the guest wrote what can't be into the counts of its ring \"%s\", which is dead "
			     "now",
			     ends[i].name);
			process->told_broken = true;
		}
}

bool rings_pump(struct rings_process *process, int64_t now)
{
	bool moved = ring_to_stream(process, &process->console_out, &process->console, now);

	moved |= ring_to_stream(process, &process->log, &process->logged, now);
	broken_tell(process);
	return moved;
}
