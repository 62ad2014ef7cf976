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

/* A new file in the folder, under a name that no one else has. Negative errno; reports nothing. */
static int temporary_make(struct replacement *replacement)
{
	unsigned int number = 0;
	int fd;

	do {
		snprintf(replacement->temporary, sizeof(replacement->temporary), ".nohype.%d.%u", (int)getpid(),
			 number++);
		fd = openat(replacement->folder, replacement->temporary,
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	} while (fd < 0 && errno == EEXIST && number);
	return fd < 0 ? -errno : fd;
}

/* Nothing says that a file can be written but writing one. */
static int folder_try(struct replacement *replacement, const char *path, const char *what)
{
	int fd = temporary_make(replacement);

	if (fd < 0)
		return fail(fd, "%s: \"%s\": its folder can't be written: %s", what, path, strerror(-fd));
	close(fd);
	unlinkat(replacement->folder, replacement->temporary, 0);
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
	int fd = temporary_make(replacement);

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	replacement->file = fdopen(fd, "w");
	if (!replacement->file) {
		close(fd);
		unlinkat(replacement->folder, replacement->temporary, 0);
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
	if (fclose(file) && !err)
		err = -errno;
	replacement->file = NULL;
	if (!err && renameat(replacement->folder, replacement->temporary, replacement->folder, replacement->name))
		err = -errno;
	if (err)
		unlinkat(replacement->folder, replacement->temporary, 0);
	else
		fsync(replacement->folder);
	return err;
}

void replace_close(struct replacement *replacement)
{
	if (replacement->file) {
		fclose(replacement->file);
		unlinkat(replacement->folder, replacement->temporary, 0);
	}
	replacement->file = NULL;
	fd_close(&replacement->folder);
}
