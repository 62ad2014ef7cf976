// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who reads the console and the log. The slowest reader of a stream holds the guest up, so nothing is lost; but only
 * the supervisor's own terminal may do so for ever.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/util.h"
#include "vmm/rings/process.h"

static const struct stream *client_stream(const struct rings_process *process, const struct client *client)
{
	return client->kind == CLIENT_TERMINAL || client->kind == CLIENT_CONSOLE ? &process->console : &process->logged;
}

void client_drop(struct client *client)
{
	fd_close(&client->fd);
}

void client_add(struct rings_process *process, int fd, enum client_kind kind, int64_t now)
{
	for (unsigned int i = 1; i < CLIENTS_MAX; i++) {
		struct client *client = &process->clients[i];
		const struct stream *stream;

		if (client->fd >= 0)
			continue;
		*client = (struct client){ .fd = fd, .kind = kind, .took_at = now };
		stream = client_stream(process, client);
		client->at = kind == CLIENT_CONSOLE ? stream_line(stream) : stream_oldest(stream);
		client->until = stream->count;
		return;
	}
	fd_close(&fd);
}

bool client_is_behind(const struct rings_process *process, const struct client *client)
{
	return client->fd >= 0 && client->at != client_stream(process, client)->count;
}

size_t clients_room(struct rings_process *process, const struct stream *stream, int64_t now)
{
	size_t room = stream->size;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &process->clients[i];
		size_t behind;

		if (client->fd < 0 || client_stream(process, client) != stream)
			continue;
		behind = (size_t)(stream->count - client->at);
		if (behind == stream->size && i && now - client->took_at > STUCK_NS)
			client_drop(client);
		else
			room = MIN(room, stream->size - behind);
	}
	return room;
}

/* One packet, or what the terminal's socket takes. */
static bool client_send(const struct rings_process *process, struct client *client)
{
	size_t len;
	const uint8_t *bytes = stream_at(client_stream(process, client), client->at, RINGS_PACKET_MAX, &len);
	ssize_t sent = send(client->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0) {
		client->at += (size_t)sent;
		return true;
	}
	if (errno != EAGAIN && errno != EINTR)
		client_drop(client);
	return false;
}

#define PACKETS_A_WAKE 64

bool clients_flush(struct rings_process *process, int64_t now)
{
	bool moved = false;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &process->clients[i];

		for (unsigned int packets = 0; packets < PACKETS_A_WAKE && client_is_behind(process, client);
		     packets++) {
			if (client->kind == CLIENT_LOGS && client->at >= client->until)
				break;
			if (!client_send(process, client))
				break;
			client->took_at = now;
			moved = true;
		}
		if (client->fd >= 0 && client->kind == CLIENT_LOGS && client->at >= client->until)
			client_drop(client);
		if (!client_is_behind(process, client))
			client->took_at = now;
	}
	return moved;
}

static void packet_take(struct rings_process *process, const uint8_t *packet, size_t len)
{
	uint16_t window[2];

	if (packet[0] == RINGS_PACKET_BYTES) {
		memcpy(process->typed, packet + 1, len - 1);
		process->typed_count = len - 1;
	} else if (packet[0] == RINGS_PACKET_WINDOW && len == 1 + sizeof(window)) {
		memcpy(window, packet + 1, sizeof(window));
		atomic_store(&process->shared->window, (uint32_t)window[0] << 16 | window[1]);
	}
}

/* Room for what was typed is there: the caller polls for input only then. */
void client_read(struct rings_process *process, struct client *client)
{
	uint8_t packet[RINGS_PACKET_MAX];
	ssize_t len = recv(client->fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		client_drop(client);
	} else if (client->kind == CLIENT_TERMINAL) {
		memcpy(process->typed, packet, (size_t)len);
		process->typed_count = (size_t)len;
	} else if (client->kind == CLIENT_CONSOLE) {
		packet_take(process, packet, (size_t)len);
	}
}
