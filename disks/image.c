// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "disks/internal.h"

int image_fail(const struct disk_image *image, int err, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX], path[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	quote_text(path, sizeof(path), image->path, strlen(image->path));
	return fail(err, "disk %s: %s", path, text);
}

static int stat_check(struct disk_image *image)
{
	if (fstat(image->fd, &image->st))
		return image_fail(image, -errno, "%s", strerror(errno));
	if (S_ISDIR(image->st.st_mode))
		return image_fail(image, -EISDIR, "is a directory: wanted a file");
	if (!S_ISREG(image->st.st_mode))
		return image_fail(image, -EINVAL, "is not a regular file");
	if (image->st.st_size == 0)
		return image_fail(image, -ENODATA, "is empty");
	return 0;
}

/*
 * A guest can write what its image begins with, but not its name and not the configuration: so these say what it is,
 * and what it begins with can only contradict.
 */
static int format_check(struct disk_image *image, enum disk_format asked)
{
	uint8_t first[FORMAT_MAGIC_MAX] = { 0 };
	ssize_t len = pread(image->fd, first, sizeof(first), 0);
	enum disk_format found;

	if (len < 0)
		return image_fail(image, -errno, "read: %s", strerror(errno));
	found = disk_format_of_bytes(first, (size_t)len);
	image->format = asked ? asked : disk_format_of_path(image->path);
	/* a VHD may have its mark at its end alone */
	if (image->format == found || (asked == DISK_RAW) || (image->format == DISK_VPC && found == DISK_RAW))
		return 0;
	if (image->format == DISK_RAW)
		return image_fail(
			image, -EINVAL,
			"begins like %s, but isn't called so: wanted \"format\": \"%s\", or \"raw\" if that is "
			"what the guest shall see",
			disk_format_name(found), disk_format_name(found));
	return image_fail(image, -EINVAL, "is not %s%s%s: wanted \"format\": what it is",
			  disk_format_name(image->format), found == DISK_RAW ? "" : ": begins like ",
			  found == DISK_RAW ? "" : disk_format_name(found));
}

static int content_check(struct disk_image *image)
{
	if (image->format == DISK_RAW)
		image->bytes = (uint64_t)image->st.st_size;
	return image->format == DISK_QCOW2 ? qcow2_check(image) : 0;
}

/* O_NONBLOCK: a FIFO's open would wait for a writer. A lock that keeps all others out wants a file that we may write.
 */
int image_open(struct disk_image *image, const char *path, enum disk_format format, enum image_use use)
{
	int mode = use == IMAGE_SAVE ? O_RDWR : O_RDONLY, err;

	*image = (struct disk_image){ .path = path, .use = use };
	image->fd = open(path, mode | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (image->fd < 0 && errno == EISDIR)
		return image_fail(image, -EISDIR, "is a directory: wanted a file");
	if (image->fd < 0)
		return image_fail(image, -errno, "%s", strerror(errno));
	image->real = realpath(path, NULL);
	err = image->real ? stat_check(image) : image_fail(image, -errno, "%s", strerror(errno));
	if (!err)
		err = format_check(image, format);
	if (!err)
		err = content_check(image);
	if (err)
		image_close(image);
	return err;
}

void image_close(struct disk_image *image)
{
	if (image->path)
		fd_close(&image->fd);
	free(image->real);
	*image = (struct disk_image){ .fd = -1 };
}

int image_unchanged(const struct disk_image *image)
{
	const struct stat *was = &image->st;
	struct stat st;

	if (fstat(image->fd, &st))
		return image_fail(image, -errno, "%s", strerror(errno));
	if (st.st_size == was->st_size && st.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == was->st_mtim.tv_nsec)
		return 0;
	return image_fail(image, -ESTALE, "changed while it was read: wanted one that nobody writes to");
}
