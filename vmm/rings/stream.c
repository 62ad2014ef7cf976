// SPDX-License-Identifier: GPL-2.0-only
#include "base/util.h"
#include "vmm/rings/process.h"

uint8_t *stream_next(struct stream *stream, size_t *len)
{
	size_t offset = (size_t)(stream->count % stream->size);

	*len = MIN(*len, stream->size - offset);
	return stream->bytes + offset;
}

void stream_add(struct stream *stream, size_t len)
{
	stream->count += len;
}

const uint8_t *stream_at(const struct stream *stream, uint64_t at, size_t max, size_t *len)
{
	size_t offset = (size_t)(at % stream->size);

	*len = MIN(MIN(max, stream->size - offset), (size_t)(stream->count - at));
	return stream->bytes + offset;
}

static uint8_t stream_byte(const struct stream *stream, uint64_t at)
{
	return stream->bytes[at % stream->size];
}

#define LINE_MAX 4096 /* bytes that are looked at for a line's beginning */

uint64_t stream_oldest(const struct stream *stream)
{
	uint64_t oldest = stream->count > stream->size ? stream->count - stream->size : 0;

	for (uint64_t at = oldest; oldest && at < oldest + LINE_MAX; at++)
		if (stream_byte(stream, at) == '\n')
			return at + 1;
	return oldest;
}

uint64_t stream_line(const struct stream *stream)
{
	uint64_t at = stream->count, oldest = stream->count > LINE_MAX ? stream->count - LINE_MAX : 0;

	while (at > oldest && stream_byte(stream, at - 1) != '\n')
		at--;
	return at;
}
