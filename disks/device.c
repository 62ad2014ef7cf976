// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image's content to a block device, and back: through a window of memory, since a device can be larger than that.
 * The device is read and written past the page cache, so that what is read back comes from it.
 */
#include <errno.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "disks/internal.h"

struct copy {
	const struct disk_image *image;
	const struct disk_device *device;
	int source;
	uint64_t bytes;	 /* of @source's content */
	uint8_t *window; /* DEVICE_WINDOW */
	bool verify;	 /* the second time: what was written is read back */
	uint64_t crc;
	uint64_t written;
	disk_progress_fn *progress;
	void *ctx;
};

int window_move(int fd, bool is_write, uint8_t *window, uint64_t at, uint64_t len)
{
	struct transfer transfer;

	transfer_begin(&transfer, fd, is_write);
	transfer_add(&transfer, window, at, len);
	return transfer_end(&transfer);
}

/* A page's begin, as O_DIRECT wants it. */
uint8_t *window_make(void)
{
	return aligned_alloc(KIB(4), DEVICE_WINDOW);
}

static int device_fail(const struct copy *copy, int err, const char *what)
{
	return image_fail(copy->image, err, "%s %s: %s", what, copy->device->name, strerror(-err));
}

/* @len bytes at @at, a block's begin: of the source to the device, zeros up to a block's end; or back from there. */
static int window_copy(struct copy *copy, uint64_t at, uint64_t len)
{
	uint64_t blocks = align_up(len, copy->device->block);
	int err = 0;

	if (!copy->verify) {
		err = window_move(copy->source, false, copy->window, at, len);
		memset(copy->window + len, 0, blocks - len);
		if (err == -ENODATA)
			return image_fail(copy->image, -EIO, "changed while it was read: it has become shorter");
		if (err)
			return image_fail(copy->image, err, "read: %s", strerror(-err));
	}
	err = window_move(copy->device->fd, !copy->verify, copy->window, at, blocks);
	if (err)
		return device_fail(copy, err == -ENODATA ? -EIO : err, copy->verify ? "read back from" : "write to");
	copy->crc = lzma_crc64(copy->window, blocks, copy->crc);
	copy->written += blocks;
	if (copy->progress)
		copy->progress(copy->ctx, at + len + (copy->verify ? copy->bytes : 0), copy->bytes * 2);
	return 0;
}

/* Holes stay as the device has them: zero. */
static int stretches_copy(struct copy *copy)
{
	uint64_t end = 0;
	int err = 0;

	copy->crc = 0;
	copy->written = 0;
	for (uint64_t at = 0; !err && at < copy->bytes && stretch_find(copy->source, &at, &end, copy->bytes);
	     at = end) {
		at = align_down(at, copy->device->block);
		end = MIN(align_up(end, copy->device->block), copy->bytes);
		for (uint64_t len; !err && at < end; at += len) {
			len = MIN(end - at, DEVICE_WINDOW);
			err = window_copy(copy, at, len);
		}
	}
	return err;
}

/* What is packed, into a file without a name. */
static int source_unpack(struct copy *copy)
{
	int fd = spool_make(copy->image, copy->device->bytes), err;
	uint8_t *to;

	if (fd < 0)
		return fd;
	to = mmap(NULL, copy->device->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	err = to == MAP_FAILED ? image_fail(copy->image, -errno, "unpack: %s", strerror(errno)) : 0;
	if (!err) {
		err = image_decode(copy->image, to, copy->device->bytes, copy->progress, copy->ctx);
		munmap(to, copy->device->bytes);
	}
	copy->source = fd;
	copy->bytes = copy->device->bytes;
	return err;
}

static int source_open(struct copy *copy)
{
	copy->source = copy->image->fd;
	copy->bytes = copy->image->bytes;
	if (copy->image->format == DISK_RAW)
		return 0;
	copy->source = -1;
	if (disk_format_is_packed(copy->image->format))
		return source_unpack(copy);
	copy->source = image_convert(copy->image, copy->device->bytes);
	copy->bytes = copy->device->bytes;
	return copy->source < 0 ? copy->source : 0;
}

static int copy_verified(struct copy *copy, struct device_filled *filled)
{
	int err = stretches_copy(copy);

	if (!err && fsync(copy->device->fd))
		err = device_fail(copy, -errno, "flush");
	if (!err)
		err = image_unchanged(copy->image);
	if (err)
		return err;
	*filled = (struct device_filled){ .written = copy->written, .crc = copy->crc };
	copy->verify = true;
	err = stretches_copy(copy);
	if (!err && (copy->crc != filled->crc || copy->written != filled->written))
		err = image_fail(copy->image, -EIO,
				 "was written to %s, and what is read back is another (CRC-64 %016" PRIx64
				 ", wanted %016" PRIx64 ")",
				 copy->device->name, copy->crc, filled->crc);
	return err;
}

int device_fits(const struct disk_image *image, const struct disk_device *device)
{
	if (image->bytes <= device->bytes)
		return 0;
	return image_fail(image, -EFBIG, "%" PRIu64 " bytes: more than %s has (%" PRIu64 ")", image->bytes,
			  device->name, device->bytes);
}

int device_fill(const struct disk_image *image, const struct disk_device *device, struct device_filled *filled,
		disk_progress_fn *progress, void *ctx)
{
	struct copy copy = { .image = image,
			     .device = device,
			     .source = -1,
			     .window = window_make(),
			     .progress = progress,
			     .ctx = ctx };
	int err = device_fits(image, device);

	if (!err && !copy.window)
		err = image_fail(image, -ENOMEM, "no memory to copy it through");
	if (!err)
		err = source_open(&copy);
	if (!err)
		err = copy_verified(&copy, filled);
	if (image->format != DISK_RAW)
		fd_close(&copy.source);
	free(copy.window);
	return err;
}
