// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory into a file, whole or not at all: a new file without a name gets all of it, is on the disk, and then takes the
 * old one's name in one step. Killed at any moment, there is the old one or the new one.
 *
 * Where the file system lets two files share their blocks, the new one begins as the old one's clone, and what is the
 * same in both isn't written again. Where it doesn't, a copy of the old one would be more work than to write it anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/replace.h"
#include "base/util.h"
#include "disks/internal.h"

#define BLOCK KIB(64) /* what is all zero of it becomes a hole; what is as it was isn't written */

struct new_file {
	const char *path;
	const char *name; /* in the folder */
	int folder;
	int fd;
	bool is_clone;			  /* it has what the old one had */
	char temporary[REPLACE_NAME_MAX]; /* its name until it has its own; "" while it has none */
};

/* What is saved, and what is to be told of it. */
struct saving {
	const uint8_t *bytes;		  /* of memory, or NULL: */
	const struct disk_device *device; /* of this */
	uint64_t size;
	struct disk_saved *saved;
	disk_progress_fn *progress;
	void *ctx;
};

static int save_fail(const struct new_file *file, int err, const char *what)
{
	char path[512];

	quote_text(path, sizeof(path), file->path, strlen(file->path));
	return fail(err, "disk %s: not saved: %s: %s", path, what, strerror(-err));
}

static int folder_open(struct new_file *file)
{
	const char *slash = strrchr(file->path, '/');
	char *copy = strdup(file->path);

	file->name = slash ? slash + 1 : file->path;
	file->folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	free(copy);
	return file->folder < 0 ? save_fail(file, -errno, "its folder") : 0;
}

static int file_make(struct new_file *file)
{
	file->fd = nameless_make(file->folder, file->temporary);
	return file->fd < 0 ? save_fail(file, file->fd, "a new file in its folder") : 0;
}

/*
 * Whoever could use the old one can use the new one; who may not give files away keeps it, and a group that is another
 * then may do what everyone may. It never becomes a program of its owner's: a guest wrote it.
 */
static int file_dress(const struct new_file *file)
{
	struct stat old;
	mode_t mode;

	if (fstatat(file->folder, file->name, &old, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : save_fail(file, -errno, "the old file");
	if (!S_ISREG(old.st_mode))
		return save_fail(file, -EINVAL, "what is there is not a regular file");
	mode = old.st_mode & 0777;
	if (fchown(file->fd, old.st_uid, old.st_gid)) {
		if (errno != EPERM)
			return save_fail(file, -errno, "give it the old file's owner");
		if (fchown(file->fd, (uid_t)-1, old.st_gid))
			mode = (mode & ~(mode_t)S_IRWXG) | (mode & S_IRWXO) << 3;
	}
	return fchmod(file->fd, mode) ? save_fail(file, -errno, "give it the old file's mode") : 0;
}

static bool block_is_zero(const uint8_t *block, uint64_t len)
{
	return block[0] == 0 && memcmp(block, block + 1, len - 1) == 0;
}

/* ioctl_ficlone(2). It is the content that will be compared, so it may be whatever was there. */
static bool file_clone(const struct new_file *file)
{
	int old = openat(file->folder, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool cloned = old >= 0 && ioctl(file->fd, FICLONE, old) == 0;

	fd_close(&old);
	return cloned;
}

/* What can't be read is as good as another. */
static bool block_is_there(const struct new_file *file, const uint8_t *block, uint64_t at, uint64_t len)
{
	uint8_t there[BLOCK];

	return pread(file->fd, there, len, (off_t)at) == (ssize_t)len && memcmp(there, block, len) == 0;
}

/* Does the file have it without its being written? In a new one all is zero; in a clone a hole can be made. */
static bool block_stays(const struct new_file *file, const uint8_t *block, uint64_t at, uint64_t len)
{
	if (!file->is_clone)
		return block_is_zero(block, len);
	if (block_is_there(file, block, at, len))
		return true;
	return block_is_zero(block, len) &&
	       fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len) == 0;
}

/* Part of what is saved: @bytes of [@at, @end). */
static int file_add(struct new_file *file, const uint8_t *bytes, uint64_t at, uint64_t end, struct saving *saving)
{
	struct transfer transfer;
	uint64_t base = at, begun = at;

	transfer_begin(&transfer, file->fd, true);
	for (; at < end && !transfer.err; at += BLOCK) {
		uint64_t len = MIN(BLOCK, end - at);
		bool stays = block_stays(file, bytes + (at - base), at, len), is_last = at + len == end;
		uint64_t until = stays ? at : at + len;

		/* a stretch ends at what stays, at the end, or where it is long enough */
		if ((stays || is_last || until - begun >= MIB(16)) && until > begun) {
			transfer_add(&transfer, (uint8_t *)bytes + (begun - base), begun, until - begun);
			saving->saved->written += until - begun;
			begun = until;
		}
		if (stays)
			begun = at + len;
		if (saving->progress)
			saving->progress(saving->ctx, at + len, saving->size);
	}
	return transfer_end(&transfer);
}

static int file_add_device(struct new_file *file, const struct disk_device *device, struct saving *saving)
{
	uint8_t *window = window_make();
	int err = window ? 0 : -ENOMEM;

	for (uint64_t at = 0; !err && at < device->bytes; at += DEVICE_WINDOW) {
		uint64_t len = MIN(DEVICE_WINDOW, device->bytes - at);

		err = window_move(device->fd, false, window, at, len);
		if (err)
			err = fail(err, "disk \"%s\": read: %s", device->name, strerror(-err));
		else
			err = file_add(file, window, at, at + len, saving);
	}
	free(window);
	return err;
}

static int file_fill(struct new_file *file, struct saving *saving)
{
	int err;

	file->is_clone = file_clone(file);
	*saving->saved = (struct disk_saved){ .is_clone = file->is_clone };
	if (ftruncate(file->fd, (off_t)saving->size))
		return save_fail(file, -errno, "set its size");
	err = saving->device ? file_add_device(file, saving->device, saving)
			     : file_add(file, saving->bytes, 0, saving->size, saving);
	if (err)
		return save_fail(file, err, "write");
	return fsync(file->fd) ? save_fail(file, -errno, "write it out") : 0;
}

static int file_rename(struct new_file *file)
{
	int err = nameless_link(file->folder, file->fd, file->temporary);

	if (err)
		return save_fail(file, err, "name it");
	if (renameat(file->folder, file->temporary, file->folder, file->name))
		return save_fail(file, -errno, "take the old one's place");
	file->temporary[0] = '\0';
	return fsync(file->folder) ? save_fail(file, -errno, "write its folder out") : 0;
}

static int file_save(const char *path, struct saving *saving)
{
	struct new_file file = { .path = path, .folder = -1, .fd = -1 };
	int err = folder_open(&file);

	if (!err)
		err = file_make(&file);
	if (!err)
		err = file_dress(&file);
	if (!err)
		err = file_fill(&file, saving);
	if (!err)
		err = file_rename(&file);
	if (file.temporary[0])
		unlinkat(file.folder, file.temporary, 0);
	fd_close(&file.fd);
	fd_close(&file.folder);
	return err;
}

int disk_save(const char *path, const uint8_t *bytes, uint64_t size, struct disk_saved *saved,
	      disk_progress_fn *progress, void *ctx)
{
	struct saving saving = { .bytes = bytes, .size = size, .saved = saved, .progress = progress, .ctx = ctx };

	return file_save(path, &saving);
}

int device_save(const char *path, const struct disk_device *device, struct disk_saved *saved,
		disk_progress_fn *progress, void *ctx)
{
	struct saving saving = {
		.device = device, .size = device->bytes, .saved = saved, .progress = progress, .ctx = ctx
	};

	return file_save(path, &saving);
}

int disk_save_check(const char *path)
{
	struct replacement replacement;
	int err = replace_open(&replacement, path, "disks: save");

	if (!err)
		replace_close(&replacement);
	return err;
}
