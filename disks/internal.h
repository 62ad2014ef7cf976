/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DISKS_INTERNAL_H
#define DISKS_INTERNAL_H

#include <liburing.h>
#include <sys/types.h>

#include "disks/disks.h"

/*
 * transfer.c: bytes between a file and memory, many requests at once (io_uring; one after the other where this user
 * may not have that). Begin, add pieces, end, which waits for all of them.
 */
#define TRANSFER_QUEUE 32

struct transfer_request {
	uint8_t *bytes;
	uint64_t offset;
	uint32_t len; /* 0: free */
};

struct transfer {
	int fd;
	bool is_write;
	bool has_ring;
	struct io_uring ring;
	struct transfer_request requests[TRANSFER_QUEUE];
	unsigned int busy;
	int err; /* the first error: -ENODATA, the file ended; or an errno */
	uint64_t done;
	uint64_t total; /* for @progress */
	disk_progress_fn *progress;
	void *ctx;
};

void transfer_begin(struct transfer *transfer, int fd, bool is_write);
void transfer_add(struct transfer *transfer, uint8_t *bytes, uint64_t offset, uint64_t len);
int transfer_end(struct transfer *transfer); /* 0 or transfer.err; reports nothing */

/* format.c: what @bytes, the first of a file, begin like; DISK_RAW: nothing known. */
#define FORMAT_MAGIC_MAX 512
enum disk_format disk_format_of_bytes(const uint8_t *bytes, size_t len);

/* qcow2.c: check the header of @image, fill in .bytes. An image that needs other files is refused: -EXDEV. */
int qcow2_check(struct disk_image *image);

/* decode.c: unpack by a process of its own, from the image's fd. As image_read. */
int image_decode(const struct disk_image *image, uint8_t *to, uint64_t room, disk_progress_fn *progress, void *ctx);

/* unpack.c: in that process: from fd 0 to fd 1, with read and write and memory alone. */
enum unpack_end {
	UNPACK_DONE,
	UNPACK_TRUNCATED = 10,
	UNPACK_DAMAGED,
	UNPACK_MEMORY, /* it wants more than we give */
	UNPACK_READ,
	UNPACK_WRITE, /* who reads has had enough */
};
enum unpack_end unpack_gzip(void);
enum unpack_end unpack_xz(void);
enum unpack_end unpack_zstd(void);

/* confine.c: in a child, between fork and its work or exec. Negative errno; they report nothing. */
int confine_unpacker(int in, int out);
int confine_qemu(int image, int target);

/* calls.c: their system call filters, the last step: no way back. They need PR_SET_NO_NEW_PRIVS. Negative errno. */
int calls_unpacker(void);
int calls_qemu(void);

/* device.c: memory that a device is read and written through; window_move reports nothing. */
#define DEVICE_WINDOW MIB(32)
uint8_t *window_make(void); /* malloced, or NULL */
int window_move(int fd, bool is_write, uint8_t *window, uint64_t at, uint64_t len);

/* load.c: the next stretch at or after *@start that isn't a hole, of [*@start, @bytes); false: there is none. */
bool stretch_find(int fd, uint64_t *start, uint64_t *end, uint64_t bytes);

/* convert.c: a file without a name, of @size bytes that are holes; the fd, or negative errno, reported. */
int spool_make(const struct disk_image *image, uint64_t size);

/* convert.c: what qemu-img makes of @image, raw, of @room bytes, in a file without a name; the fd. Reported. */
int image_convert(const struct disk_image *image, uint64_t room);

/* load.c: the content of a raw file, @bytes of them, where it isn't a hole. */
int raw_load(const struct disk_image *image, int fd, uint64_t bytes, uint8_t *to, disk_progress_fn *progress,
	     void *ctx);

#endif
