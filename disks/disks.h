/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISKS_DISKS_H
#define DISKS_DISKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Images of disks, into memory and out of it. An image is a hostile file: a guest may have written it. So what it is is
 * never decided by what is in it, what is packed is unpacked by a process that can do nothing else, and no image makes
 * us open another.
 */
enum disk_format {
	DISK_RAW = 1, /* the bytes of the disk; holes stay holes */
	DISK_GZIP,
	DISK_XZ,
	DISK_ZSTD,
	DISK_QCOW2, /* these by qemu-img */
	DISK_VDI,
	DISK_VHDX,
	DISK_VPC,
	DISK_FORMATS,
};

/* What is done with an image decides what others may do with it meanwhile. */
enum image_use {
	IMAGE_READ, /* others may read it too */
	IMAGE_SAVE, /* no one else may: it will be replaced */
};

struct disk_image {
	int fd;		  /* -1: none */
	const char *path; /* the caller's; what messages begin with */
	char *real;	  /* owned: where it really lies, whatever links led there */
	enum disk_format format;
	enum image_use use;
	uint64_t bytes; /* of its content; 0: its format doesn't say */
	struct stat st; /* when it was opened: it must stay so */
};

/* @done and @total in bytes. */
typedef void disk_progress_fn(void *ctx, uint64_t done, uint64_t total);

/* format.c: what a format is called, "qcow2"; of a name the format, or 0; of a path, by its end: "x.gz". */
const char *disk_format_name(enum disk_format format);
enum disk_format disk_format_find(const char *name);
enum disk_format disk_format_of_path(const char *path);

/* Is it one that our libraries unpack; that qemu-img reads? */
bool disk_format_is_packed(enum disk_format format);
bool disk_format_is_qemu(enum disk_format format);

/*
 * image.c: open the regular file @path (kept by reference) of @format (0: by its name's end, and then what it begins
 * with must not be of another), and see how large its content is. Nothing of the file is trusted. Negative errno,
 * reported; image_close is safe after that.
 */
int image_open(struct disk_image *image, const char *path, enum disk_format format, enum image_use use);
void image_close(struct disk_image *image);

/* Is it still as it was when it was opened? -ESTALE, reported. */
int image_unchanged(const struct disk_image *image);

/* As fail(), after `disk "PATH": `. */
int image_fail(const struct disk_image *image, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * lock.c: lock it against other VMs and QEMU, as its use says, until it is closed (an OFD lock; a reader's lets other
 * readers in). -EBUSY: another has it, whom the message names; -ESTALE: it was replaced meanwhile.
 */
int image_lock(const struct disk_image *image);

/* Is what is known of its content no more than @room bytes? -EFBIG, reported; what isn't known is found out by loading.
 */
int image_fits(const struct disk_image *image, uint64_t room);

/*
 * load.c: its content to @to, which is all zero and has @room bytes, all of a guest's range. -EFBIG: it has more;
 * -EIO: truncated, damaged or changed meanwhile. Reported.
 */
int image_read(const struct disk_image *image, uint8_t *to, uint64_t room, disk_progress_fn *progress, void *ctx);

/*
 * save.c: can there be a file at @path: its folder is there and can be written, and what is there of that name is a
 * file? Negative errno, reported.
 */
int disk_save_check(const char *path);

/*
 * Write @size bytes to a new file beside @path, as sparse as they are, and give it that name when all of it is on the
 * disk: whenever this is interrupted, @path is the old file or the new one, whole. Mode and owner are those of the old
 * one; 0600 where there was none. Negative errno, reported; the old one stays.
 */
struct disk_saved {
	uint64_t written; /* bytes */
	bool is_clone;	  /* what was not written is as it was; else it is zero */
};

int disk_save(const char *path, const uint8_t *bytes, uint64_t size, struct disk_saved *saved,
	      disk_progress_fn *progress, void *ctx);

/*
 * device.c: a block device that nobody else has, open with O_DIRECT. device_fill: @image's content to it, which is all
 * zero, and all that was written read back: -EFBIG, more than fits; -EIO, it is another then. device_save: as
 * disk_save, all of the device. Negative errno, reported.
 */
struct disk_device {
	int fd;		  /* the caller's */
	const char *name; /* for messages: "nvme0n1" */
	uint64_t bytes;
	uint32_t block; /* bytes, a power of two */
};

struct device_filled {
	uint64_t written; /* bytes, holes left out */
	uint64_t crc;	  /* CRC-64 (ECMA-182) of these */
};

int device_fits(const struct disk_image *image, const struct disk_device *device);
int device_fill(const struct disk_image *image, const struct disk_device *device, struct device_filled *filled,
		disk_progress_fn *progress, void *ctx);
int device_save(const char *path, const struct disk_device *device, struct disk_saved *saved,
		disk_progress_fn *progress, void *ctx);

#endif
