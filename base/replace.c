// SPDX-License-Identifier: GPL-2.0-only
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define TRIES 1000 /* of names */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The folder that @path is in, open; negative errno, reported. */
static int folder_open(const char *path, const char *what)
{
	size_t len = (size_t)(file_name(path) - path);
	char *folder = len ? strndup(path, len) : strdup(".");
	int fd;

	if (!folder)
		return fail(-ENOMEM, "%s: no memory for its path", what);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = fail(-errno, "%s: \"%s\": its folder: %s", what, path, strerror(errno));
	free(folder);
	return fd;
}

/* What is there is replaced if it is a file of that name, but nothing else: a device or a link least of all. */
static int target_check(int folder, const char *path, const char *what)
{
	const char *name = file_name(path);
	struct stat st;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return fail(-EISDIR, "%s: \"%s\": a folder: wanted a file's path", what, path);
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : fail(-errno, "%s: \"%s\": %s", what, path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(-EISDIR, "%s: \"%s\": a folder: wanted a file's path", what, path);
	if (!S_ISREG(st.st_mode))
		return fail(-EINVAL, "%s: \"%s\": not a regular file, and would be replaced: wanted another path", what,
			    path);
	return 0;
}

static void name_make(char name[REPLACE_NAME_MAX], unsigned int number)
{
	snprintf(name, REPLACE_NAME_MAX, ".nohype.%d.%u", (int)getpid(), number);
}

int nameless_make(int folder, char name[REPLACE_NAME_MAX])
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	*name = '\0';
	for (unsigned int i = 0; fd < 0 && i < TRIES; i++) {
		name_make(name, i);
		fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd >= 0)
		return fd;
	*name = '\0';
	return -errno;
}

int nameless_link(int folder, int fd, char name[REPLACE_NAME_MAX])
{
	char self[64];
	int err = -EEXIST;

	if (*name)
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (unsigned int i = 0; err == -EEXIST && i < TRIES; i++) {
		name_make(name, i);
		err = linkat(AT_FDCWD, self, folder, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
	}
	if (err)
		*name = '\0';
	return err;
}

static void temporary_remove(struct replacement *replacement)
{
	if (*replacement->temporary)
		unlinkat(replacement->folder, replacement->temporary, 0);
	*replacement->temporary = '\0';
}

/* Nothing says that a file can be written but writing one. */
static int folder_try(struct replacement *replacement, const char *path, const char *what)
{
	int fd = nameless_make(replacement->folder, replacement->temporary);

	if (fd < 0)
		return fail(fd, "%s: \"%s\": its folder can't be written: %s", what, path, strerror(-fd));
	close(fd);
	temporary_remove(replacement);
	return 0;
}

int replace_open(struct replacement *replacement, const char *path, const char *what)
{
	int err;

	*replacement = (struct replacement){ .folder = folder_open(path, what), .name = file_name(path) };
	if (replacement->folder < 0)
		return replacement->folder;
	err = target_check(replacement->folder, path, what);
	if (!err)
		err = folder_try(replacement, path, what);
	if (err)
		fd_close(&replacement->folder);
	return err;
}

FILE *replace_begin(struct replacement *replacement)
{
	int fd = nameless_make(replacement->folder, replacement->temporary);

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	replacement->file = fdopen(fd, "w");
	if (!replacement->file) {
		close(fd);
		temporary_remove(replacement);
	}
	return replacement->file;
}

int replace_commit(struct replacement *replacement)
{
	FILE *file = replacement->file;
	int err = 0;

	errno = 0;
	if (fflush(file) || ferror(file) || fsync(fileno(file)))
		err = errno ? -errno : -EIO;
	if (!err)
		err = nameless_link(replacement->folder, fileno(file), replacement->temporary);
	if (fclose(file) && !err)
		err = -errno;
	replacement->file = NULL;
	if (!err && renameat(replacement->folder, replacement->temporary, replacement->folder, replacement->name))
		err = -errno;
	if (err) {
		temporary_remove(replacement);
		return err;
	}
	*replacement->temporary = '\0';
	fsync(replacement->folder);
	return 0;
}

void replace_close(struct replacement *replacement)
{
	if (replacement->file) {
		fclose(replacement->file);
		temporary_remove(replacement);
	}
	replacement->file = NULL;
	fd_close(&replacement->folder);
}
