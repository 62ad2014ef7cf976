// SPDX-License-Identifier: GPL-2.0-only
/* Three libraries, one shape: bytes from fd 0, their content to fd 1, until both have come to their end. */
#include <errno.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/util.h"
#include "disks/internal.h"

#define BUFFER	     (1 << 18)
#define MEMORY_LIMIT MIB(512) /* xz -9 wants 65 MiB, zstd --ultra --long=27 136 */
#define WINDOW_LIMIT 27	      /* of zstd, as a power of two: what its own program takes unasked */

struct buffers {
	uint8_t in[BUFFER];
	uint8_t out[BUFFER];
};

static ssize_t in_read(struct buffers *buffers)
{
	ssize_t got;

	do
		got = read(STDIN_FILENO, buffers->in, sizeof(buffers->in));
	while (got < 0 && errno == EINTR);
	return got;
}

static int out_write(const struct buffers *buffers, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t put = write(STDOUT_FILENO, buffers->out + done, len - done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -EIO;
		done += (size_t)put;
	}
	return 0;
}

/* What a file's end means: nothing was begun that isn't finished. */
static enum unpack_end end_of(ssize_t got, bool finished)
{
	return got < 0 ? UNPACK_READ : finished ? UNPACK_DONE : UNPACK_TRUNCATED;
}

/* One filled buffer through @stream. gzip's files can follow one another in one (RFC 1952, 2.2). */
static enum unpack_end gzip_step(z_stream *stream, struct buffers *buffers, bool *finished)
{
	do {
		int result;

		if (*finished && stream->avail_in) {
			inflateReset(stream);
			*finished = false;
		}
		stream->next_out = buffers->out;
		stream->avail_out = sizeof(buffers->out);
		result = inflate(stream, Z_NO_FLUSH);
		if (result == Z_MEM_ERROR)
			return UNPACK_MEMORY;
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return UNPACK_DAMAGED;
		*finished = result == Z_STREAM_END;
		if (out_write(buffers, sizeof(buffers->out) - stream->avail_out))
			return UNPACK_WRITE;
	} while (stream->avail_in || !stream->avail_out);
	return UNPACK_DONE;
}

enum unpack_end unpack_gzip(void)
{
	static struct buffers buffers;
	z_stream stream = { 0 };
	bool finished = false;
	enum unpack_end end;
	ssize_t got;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) /* 16: a gzip header */
		return UNPACK_MEMORY;
	while ((got = in_read(&buffers)) > 0) {
		stream.next_in = buffers.in;
		stream.avail_in = (unsigned int)got;
		end = gzip_step(&stream, &buffers, &finished);
		if (end != UNPACK_DONE)
			return end;
	}
	return end_of(got, finished);
}

static enum unpack_end xz_failed(lzma_ret result)
{
	switch (result) {
	case LZMA_BUF_ERROR:
		return UNPACK_TRUNCATED;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return UNPACK_MEMORY;
	default:
		return UNPACK_DAMAGED;
	}
}

enum unpack_end unpack_xz(void)
{
	static struct buffers buffers;
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_action action = LZMA_RUN;
	lzma_ret result = lzma_stream_decoder(&stream, MEMORY_LIMIT, LZMA_CONCATENATED);

	while (result == LZMA_OK) {
		if (!stream.avail_in && action == LZMA_RUN) {
			ssize_t got = in_read(&buffers);

			if (got < 0)
				return UNPACK_READ;
			stream.next_in = buffers.in;
			stream.avail_in = (size_t)got;
			action = got ? LZMA_RUN : LZMA_FINISH;
		}
		stream.next_out = buffers.out;
		stream.avail_out = sizeof(buffers.out);
		result = lzma_code(&stream, action);
		if (out_write(&buffers, sizeof(buffers.out) - stream.avail_out))
			return UNPACK_WRITE;
	}
	return result == LZMA_STREAM_END ? UNPACK_DONE : xz_failed(result);
}

static enum unpack_end zstd_step(ZSTD_DStream *stream, ZSTD_inBuffer *in, struct buffers *buffers, bool *finished)
{
	ZSTD_outBuffer out;

	do {
		size_t left;

		out = (ZSTD_outBuffer){ .dst = buffers->out, .size = sizeof(buffers->out) };
		left = ZSTD_decompressStream(stream, &out, in);
		if (ZSTD_isError(left))
			return ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge ||
					       ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation
				       ? UNPACK_MEMORY
				       : UNPACK_DAMAGED;
		*finished = left == 0;
		if (out_write(buffers, out.pos))
			return UNPACK_WRITE;
	} while (in->pos < in->size || out.pos == out.size);
	return UNPACK_DONE;
}

enum unpack_end unpack_zstd(void)
{
	static struct buffers buffers;
	ZSTD_DStream *stream = ZSTD_createDStream();
	bool finished = false;
	ssize_t got;

	if (!stream || ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, WINDOW_LIMIT)))
		return UNPACK_MEMORY;
	while ((got = in_read(&buffers)) > 0) {
		ZSTD_inBuffer in = { .src = buffers.in, .size = (size_t)got };
		enum unpack_end end = zstd_step(stream, &in, &buffers, &finished);

		if (end != UNPACK_DONE)
			return end;
	}
	return end_of(got, finished);
}
