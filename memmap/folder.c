// SPDX-License-Identifier: GPL-2.0-only
/* The folder of a guest's memory: in hugetlbfs, of pages of the wanted size, and nobody else's to write to. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "memmap/internal.h"

/* No symbolic link is followed, wherever in the path: who could make one would choose the folder. Negative errno. */
static int plain_open(const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int open_fail(const char *path, int err)
{
	if (err == -ELOOP)
		return fail(err, "memory.folder: \"%s\": a symbolic link is in it: wanted the path that it leads to",
			    path);
	return fail(err, "memory.folder: \"%s\": %s", path, strerror(-err));
}

/* Pages of the mount's size are what its files are made of; without a limit of its own it has no blocks. */
static int mount_judge(const struct memory_request *req, int fd)
{
	uint64_t size = req->layout.size, room;
	char wanted[SIZE_TEXT], found[SIZE_TEXT];
	struct statfs st;

	if (fstatfs(fd, &st))
		return fail(-errno, "memory.folder: \"%s\": %s", req->place.folder, strerror(errno));
	size_exact(wanted, req->page_size);
	if (st.f_type != HUGETLBFS_MAGIC)
		return fail(-EINVAL,
			    "memory.folder: \"%s\": isn't in a hugetlbfs mount: wanted one with pages of %s: `mount -t "
			    "hugetlbfs -o pagesize=%s none DIR`",
			    req->place.folder, wanted, wanted);
	if ((uint64_t)st.f_bsize != req->page_size)
		return fail(-EINVAL,
			    "memory.folder: \"%s\": its mount's pages are of %s: wanted memory.page_size's, %s: `mount "
			    "-t hugetlbfs -o pagesize=%s none DIR`",
			    req->place.folder, size_exact(found, (uint64_t)st.f_bsize), wanted, wanted);
	room = (uint64_t)st.f_bavail * (uint64_t)st.f_bsize;
	if (st.f_blocks && room < size)
		return fail(-ENOSPC, "memory.folder: \"%s\": its mount has room for %" PRIu64 " MiB: wanted %" PRIu64,
			    req->place.folder, room >> 20, size >> 20);
	return 0;
}

/* Who may write to the folder above, unless it is sticky, can rename ours away, with all that is to be cleared. */
static const char *above_exposed(int above, const char *path)
{
	struct stat st;

	if (fstatat(above, path, &st, AT_EMPTY_PATH))
		return "the folder above its folder can't be looked at";
	if ((st.st_uid == geteuid() || st.st_uid == 0) && (!(st.st_mode & (S_IWGRP | S_IWOTH)) || st.st_mode & S_ISVTX))
		return NULL;
	return "others may rename its folder";
}

const char *folder_exposed(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return "its folder can't be looked at";
	if (st.st_uid != geteuid())
		return "its folder is another user's";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "others may write to its folder";
	return above_exposed(fd, "..");
}

/* @exposed: what stands against it, or NULL. */
static int exposed_judge(const struct memory_request *req, const char *exposed)
{
	return exposed ? fail(-EPERM,
			      "memory.folder: \"%s\": %s: wanted one of the user who starts the VM, with mode 0700, in "
			      "one of that user or root that others can't write to",
			      req->place.folder, exposed)
		       : 0;
}

/* The folder that @path is in, and *@name in it, in @copy. */
static int above_open(const char *path, char copy[MEMORY_FOLDER_MAX], const char **name)
{
	char *slash;

	snprintf(copy, MEMORY_FOLDER_MAX, "%s", path);
	for (slash = copy + strlen(copy); slash > copy + 1 && slash[-1] == '/';)
		*--slash = '\0';
	slash = strrchr(copy, '/');
	*name = slash + 1;
	*slash = '\0';
	return plain_open(slash == copy ? "/" : copy);
}

/* There is none: the one above says whether it can be made. The fd of a new one, if @make, or 0. */
static int folder_make(const struct memory_request *req, bool make)
{
	const char *path = req->place.folder, *name;
	char copy[MEMORY_FOLDER_MAX];
	int above = above_open(path, copy, &name), fd = 0, err;

	if (above < 0)
		return open_fail(path, above);
	err = mount_judge(req, above);
	err = err ? err : exposed_judge(req, above_exposed(above, ""));
	if (!err && make) {
		err = mkdirat(above, name, 0700) && errno != EEXIST ? -errno : 0;
		fd = err ? err : openat(above, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = fd < 0 ? open_fail(path, err ? err : -errno) : 0;
	}
	close(above);
	return err ? err : fd;
}

static int folder_get(const struct memory_request *req, bool make)
{
	int fd = plain_open(req->place.folder), err;

	if (fd == -ENOENT)
		fd = folder_make(req, make);
	else if (fd < 0)
		open_fail(req->place.folder, fd);
	if (fd <= 0)
		return fd;
	err = mount_judge(req, fd);
	err = err ? err : exposed_judge(req, folder_exposed(fd));
	if (!err)
		return fd;
	close(fd);
	return err;
}

int folder_open(const struct memory_request *req)
{
	return folder_get(req, true);
}

int folder_check(const struct memory_request *req)
{
	int fd = folder_get(req, false);

	if (fd <= 0)
		return fd;
	close(fd);
	return 0;
}

int folder_reopen(const char *path)
{
	int fd = plain_open(path);
	const char *exposed = fd < 0 ? NULL : folder_exposed(fd);

	if (fd == -ENOENT)
		return fd;
	if (fd < 0)
		return open_fail(path, fd);
	if (!exposed)
		return fd;
	close(fd);
	return fail(-EPERM, "memory.folder: \"%s\": %s", path, exposed);
}
