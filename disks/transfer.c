// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "disks/internal.h"

#define CHUNK MIB(1)

void transfer_begin(struct transfer *transfer, int fd, bool is_write)
{
	*transfer = (struct transfer){ .fd = fd, .is_write = is_write };
	/* not allowed (kernel.io_uring_disabled, a container's filter) is no error: one after the other then */
	transfer->has_ring = io_uring_queue_init(TRANSFER_QUEUE, &transfer->ring, 0) == 0;
}

/* It did @got bytes, or is a negative errno; what remains of it stays in the request. */
static void request_advance(struct transfer *transfer, struct transfer_request *request, int64_t got)
{
	if (got == -EINTR || got == -EAGAIN)
		return;
	if (got <= 0) {
		if (!transfer->err)
			transfer->err = got < 0 ? (int)got : transfer->is_write ? -EIO : -ENODATA;
		request->len = 0;
		return;
	}
	request->bytes += got;
	request->offset += (uint64_t)got;
	request->len -= (uint32_t)got;
	transfer->done += (uint64_t)got;
	if (transfer->progress)
		transfer->progress(transfer->ctx, transfer->done, transfer->total);
}

static void request_run(struct transfer *transfer, struct transfer_request *request)
{
	while (request->len) {
		ssize_t got;

		if (transfer->is_write)
			got = pwrite(transfer->fd, request->bytes, request->len, (off_t)request->offset);
		else
			got = pread(transfer->fd, request->bytes, request->len, (off_t)request->offset);
		request_advance(transfer, request, got < 0 ? -errno : got);
	}
}

/* There is a free entry for each request, so the queue can't be full. */
static void request_submit(struct transfer *transfer, struct transfer_request *request)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&transfer->ring);

	if (transfer->is_write)
		io_uring_prep_write(sqe, transfer->fd, request->bytes, request->len, request->offset);
	else
		io_uring_prep_read(sqe, transfer->fd, request->bytes, request->len, request->offset);
	io_uring_sqe_set_data(sqe, request);
	transfer->busy++;
}

/* Until one of those that are under way is done; what it hasn't done of its piece goes on. */
static void transfer_wait(struct transfer *transfer)
{
	struct io_uring_cqe *cqe;
	int err = io_uring_submit_and_wait(&transfer->ring, 1);

	if (err < 0 && err != -EINTR && err != -EAGAIN && err != -EBUSY && !transfer->err)
		transfer->err = err;
	while (!io_uring_peek_cqe(&transfer->ring, &cqe)) {
		struct transfer_request *request = io_uring_cqe_get_data(cqe);

		request_advance(transfer, request, cqe->res);
		io_uring_cqe_seen(&transfer->ring, cqe);
		transfer->busy--;
		if (request->len)
			request_submit(transfer, request);
	}
}

static struct transfer_request *request_free(struct transfer *transfer)
{
	while (transfer->busy == TRANSFER_QUEUE)
		transfer_wait(transfer);
	for (unsigned int i = 0; i < TRANSFER_QUEUE; i++)
		if (!transfer->requests[i].len)
			return &transfer->requests[i];
	return NULL; /* can't be: as many are busy as have a length */
}

void transfer_add(struct transfer *transfer, uint8_t *bytes, uint64_t offset, uint64_t len)
{
	for (uint64_t done = 0; done < len && !transfer->err;) {
		struct transfer_request *request = request_free(transfer);

		request->bytes = bytes + done;
		request->offset = offset + done;
		request->len = (uint32_t)MIN(len - done, CHUNK);
		done += request->len;
		if (transfer->has_ring)
			request_submit(transfer, request);
		else
			request_run(transfer, request);
	}
}

int transfer_end(struct transfer *transfer)
{
	while (transfer->busy)
		transfer_wait(transfer);
	if (transfer->has_ring)
		io_uring_queue_exit(&transfer->ring);
	return transfer->err;
}
