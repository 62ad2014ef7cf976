// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "disks/internal.h"

static uint64_t mib_up(uint64_t bytes)
{
	return (bytes + MIB(1) - 1) >> 20;
}

bool stretch_find(int fd, uint64_t *start, uint64_t *end, uint64_t bytes)
{
	off_t data = lseek(fd, (off_t)*start, SEEK_DATA), hole;

	if (data < 0 && errno == ENXIO)
		return false;
	if (data < 0) /* a file system that doesn't say: all is data */
		data = (off_t)*start;
	hole = lseek(fd, data, SEEK_HOLE);
	*start = (uint64_t)data;
	*end = hole <= data ? bytes : MIN((uint64_t)hole, bytes);
	return *start < bytes;
}

int raw_load(const struct disk_image *image, int fd, uint64_t bytes, uint8_t *to, disk_progress_fn *progress, void *ctx)
{
	struct transfer transfer;
	uint64_t end = 0;
	int err;

	transfer_begin(&transfer, fd, false);
	transfer.progress = progress;
	transfer.ctx = ctx;
	transfer.total = bytes;
	for (uint64_t at = 0; at < bytes && !transfer.err && stretch_find(fd, &at, &end, bytes); at = end)
		transfer_add(&transfer, to + at, at, end - at);
	err = transfer_end(&transfer);
	/* the page cache has no more use of it */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (err == -ENODATA)
		return image_fail(image, -EIO, "changed while it was read: it has become shorter");
	return err ? image_fail(image, err, "read: %s", strerror(-err)) : 0;
}

static int qemu_load(const struct disk_image *image, uint8_t *to, uint64_t room, disk_progress_fn *progress, void *ctx)
{
	int fd = image_convert(image, room), err;

	if (fd < 0)
		return fd;
	err = raw_load(image, fd, room, to, progress, ctx);
	fd_close(&fd);
	return err;
}

int image_fits(const struct disk_image *image, uint64_t room)
{
	if (image->bytes <= room)
		return 0;
	return image_fail(image, -EFBIG,
			  "%" PRIu64 " MiB: more than its device has (%" PRIu64 " MiB): wanted \"size\": \"%" PRIu64
			  "M\" or more",
			  mib_up(image->bytes), room >> 20, mib_up(align_up(image->bytes, MIB(2))));
}

int image_read(const struct disk_image *image, uint8_t *to, uint64_t room, disk_progress_fn *progress, void *ctx)
{
	int err = image_fits(image, room);

	if (err)
		return err;
	if (image->format == DISK_RAW)
		err = raw_load(image, image->fd, image->bytes, to, progress, ctx);
	else if (disk_format_is_packed(image->format))
		err = image_decode(image, to, room, progress, ctx);
	else
		err = qemu_load(image, to, room, progress, ctx);
	return err ? err : image_unchanged(image);
}
