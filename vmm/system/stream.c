// SPDX-License-Identifier: GPL-2.0-only
/* Events as they come: text/event-stream (HTML Living Standard, 9.2). A reader that has nothing to read sleeps. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vmm/system/system.h"

/* One event into @buf; -1: there is no room, so the connection ends and its reader comes again. */
static ssize_t event_write(const struct stream *stream, char *buf, size_t max)
{
	const struct manager *manager = stream->manager;
	size_t at = (size_t)(stream->next - events_first(manager));
	int len = snprintf(buf, max, "id: %lld\ndata: %s\n\n", (long long)stream->next,
			   json_string_value(json_array_get(manager->events, at)));

	return len < 0 || (size_t)len >= max ? MHD_CONTENT_READER_END_WITH_ERROR : len;
}

static ssize_t stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct stream *stream = cls;

	(void)pos;
	if (stream->manager->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (stream->next <= stream->manager->last_stored) {
		ssize_t len;

		if (stream->next < events_first(stream->manager))
			stream->next = events_first(stream->manager);
		len = event_write(stream, buf, max);
		stream->next++;
		return len;
	}
	if (stream->beat && max >= 3) {
		stream->beat = false;
		memcpy(buf, ":\n\n", 3);
		return 3;
	}
	stream->asleep = true;
	MHD_suspend_connection(stream->connection);
	return 0;
}

static void stream_close(void *cls)
{
	struct stream *stream = cls;

	*stream = (struct stream){ 0 };
}

void streams_wake(struct manager *manager)
{
	for (size_t i = 0; i < ARRAY_SIZE(manager->streams); i++) {
		struct stream *stream = &manager->streams[i];

		if (stream->connection && stream->asleep) {
			stream->asleep = false;
			MHD_resume_connection(stream->connection);
		}
	}
}

void streams_beat(struct manager *manager)
{
	for (size_t i = 0; i < ARRAY_SIZE(manager->streams); i++)
		manager->streams[i].beat = true;
	streams_wake(manager);
}

struct MHD_Response *stream_open(const struct request *request, struct MHD_Connection *connection, json_int_t after)
{
	struct manager *manager = request->manager;
	struct stream *stream = manager->streams + (request->read_only ? STREAMS_MAX : 0), *end = stream + STREAMS_MAX;
	struct MHD_Response *response;

	while (stream < end && stream->connection)
		stream++;
	if (stream == end)
		return NULL;
	*stream = (struct stream){ .connection = connection, .manager = manager, .next = after + 1, .beat = true };
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, RECORD_BLOCK, stream_read, stream, stream_close);
	if (!response)
		stream_close(stream);
	return response;
}
