// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has an image. An OFD lock goes with its last fd, so it can't be left behind; QEMU's are on bytes of the same file
 * (its block/file-posix.c), so the two keep each other out. Whose a lock is the kernel doesn't say of these, so a
 * second lock says it: on the byte that is the process' number, far behind any content.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "disks/internal.h"

#define WHOSE (INT64_C(1) << 62) /* plus a pid */

static int lock_try(int fd, short type, int64_t start, int64_t len)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

/* The pid that has locked it, or 0. */
static int64_t lock_owner(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = WHOSE, .l_len = INT32_MAX };

	if (fcntl(fd, F_OFD_GETLK, &lock))
		return 0;
	return lock.l_type == F_UNLCK || lock.l_start < WHOSE ? 0 : lock.l_start - WHOSE;
}

/* The VM whose supervisor is @pid: its core manager has the name as its argument. */
static bool vm_name_find(int64_t pid, char *name, size_t size)
{
	char path[64], line[256] = "";
	int64_t child = 0;
	size_t len, skip;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/task/%" PRId64 "/children", pid, pid);
	file = fopen(path, "re");
	for (; file && fscanf(file, "%" SCNd64, &child) == 1;) {
		FILE *args;

		snprintf(path, sizeof(path), "/proc/%" PRId64 "/cmdline", child);
		args = fopen(path, "re");
		len = args ? fread(line, 1, sizeof(line) - 1, args) : 0;
		if (args)
			fclose(args);
		line[len] = '\0';
		skip = strlen(line) + 1;
		if (strcmp(line, "nohype-core") == 0 && skip < len) {
			quote_text(name, size, line + skip, strlen(line + skip));
			fclose(file);
			return true;
		}
	}
	if (file)
		fclose(file);
	return false;
}

static int fail_busy(const struct disk_image *image)
{
	const char *how = image->use == IMAGE_SAVE ? "wanted for this VM alone, as it is saved"
						   : "wanted one that no VM saves to";
	int64_t pid = lock_owner(image->fd);
	char name[128];

	if (pid == getpid())
		return image_fail(image, -EBUSY, "is a disk of this VM already: %s", how);
	if (pid && vm_name_find(pid, name, sizeof(name)))
		return image_fail(image, -EBUSY, "the VM %s (process %" PRId64 ") has it: %s", name, pid, how);
	if (pid)
		return image_fail(image, -EBUSY, "process %" PRId64 " has it: %s", pid, how);
	return image_fail(image, -EBUSY, "another program has it, as QEMU: %s", how);
}

/* Who had it may have put another file there since it was opened. */
static int still_there(const struct disk_image *image)
{
	struct stat st;

	if (stat(image->real, &st) || st.st_dev != image->st.st_dev || st.st_ino != image->st.st_ino)
		return image_fail(image, -ESTALE, "was replaced while it was opened: start it again");
	return image_unchanged(image);
}

int image_lock(const struct disk_image *image)
{
	short type = image->use == IMAGE_SAVE ? F_WRLCK : F_RDLCK;
	int err = lock_try(image->fd, type, 0, WHOSE);

	if (err == -EAGAIN || err == -EACCES)
		return fail_busy(image);
	if (!err)
		err = lock_try(image->fd, F_RDLCK, WHOSE + getpid(), 1);
	if (err && image->use == IMAGE_SAVE)
		return image_fail(image, err, "can't be locked: %s", strerror(-err));
	return still_there(image);
}
