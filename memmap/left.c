// SPDX-License-Identifier: GPL-2.0-only
/* Memory with a name whose supervisor was killed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "memmap/internal.h"
#include "memmap/record.h"

#define TRY_MS 10
#define TRIES  1000 /* until all that is to die with a supervisor must be gone */

struct left {
	char record_path[192];
	int record; /* locked by us: its supervisor is dead */
	int folder; /* -1: there is none any more */
	int fd;	    /* -1: it was not made, or is removed, or isn't the one that was */
	int pid, how;
	uint64_t inode; /* 0: none was told */
	char folder_path[MEMORY_FOLDER_MAX];
	const char *name;
};

/*
 * -ESTALE: it tells of nothing: it is empty, as its writer was killed before its one write, and the file comes after;
 * or it is of another boot, and so is all that was there. -EBADMSG: cut or altered. Others: that can't be told.
 */
static int record_parse(struct left *left)
{
	char text[LINE_BYTES * 2], is[64];
	ssize_t len = pread(left->record, text, sizeof(text) - 1, 0);
	int used = 0;

	if (len <= 0)
		return len ? -errno : -ESTALE;
	text[len] = '\0';
	if (sscanf(text, FILE_RECORD_HEAD "\nboot %63s\npid %d\nclear %d\nfolder %511[^\n]%n", is, &left->pid,
		   &left->how, left->folder_path, &used) != 4 ||
	    text[used] != '\n')
		return -EBADMSG;
	sscanf(text + used, "\ninode %" SCNu64 "\n", &left->inode);
	return boot_id_check(is);
}

/* One that tells of nothing goes. -ENOENT: it isn't supervisor @pid's. Others reported. */
static int record_read(struct left *left, pid_t pid)
{
	int err = record_parse(left);

	if (err == -EBADMSG)
		return fail(err,
			    "memory.folder: \"%s\": cut or altered: \"%s\", if it is in its folder, isn't cleared, and "
			    "stays: look at it, and remove both",
			    left->record_path, left->name);
	if (err && err != -ESTALE)
		return fail(err, "memory.folder: \"%s\": %s", left->record_path, strerror(-err));
	if (err)
		unlink(left->record_path);
	return err || (pid && left->pid != pid) ? -ENOENT : 0;
}

static void left_close(struct left *left)
{
	fd_close(&left->fd);
	fd_close(&left->folder);
	fd_close(&left->record);
}

/*
 * Is it the one that was made? Killed before its number was written, it is empty still; what isn't was another's, and
 * there before.
 */
static bool file_is_it(const struct left *left, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_uid != geteuid())
		return false;
	return left->inode ? st->st_ino == left->inode : st->st_size == 0;
}

static int file_fail(const struct left *left)
{
	return fail(-errno, "memory.folder: \"%s/%s\": %s", left->folder_path, left->name, strerror(errno));
}

static int left_find(struct left *left)
{
	struct stat st;

	left->folder = folder_reopen(left->folder_path);
	if (left->folder < 0)
		return left->folder == -ENOENT ? 0 : left->folder;
	if (fstatat(left->folder, left->name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : file_fail(left);
	if (!file_is_it(left, &st))
		return 0;
	/* it stays that one, as nobody else may write to its folder */
	left->fd = openat(left->folder, left->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return left->fd < 0 ? file_fail(left) : 0;
}

/* False, after so many tries: it is another's. */
static bool lock_take(int fd, int tries)
{
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (--tries <= 0)
			return false;
		poll(NULL, 0, TRY_MS);
	}
	return true;
}

/* The lock of a record that is there still; -ENOENT: there is none, or its supervisor lives. Others reported. */
static int left_lock(struct left *left, int tries)
{
	struct stat st;

	left->record = open(left->record_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (left->record < 0 && errno != ENOENT && errno != EACCES) /* EACCES: another user's */
		return fail(-errno, "memory.folder: \"%s\": %s", left->record_path, strerror(errno));
	if (left->record < 0)
		return -ENOENT;
	return !lock_take(left->record, tries) || fstat(left->record, &st) || !st.st_nlink ? -ENOENT : 0;
}

/* 0: it is ours to deal with, until left_close(). -ENOENT: as left_lock(); others reported. */
static int left_begin(struct left *left, const char *state, const char *file, pid_t pid, int tries)
{
	int err;

	*left = (struct left){ .record = -1, .folder = -1, .fd = -1, .name = file };
	snprintf(left->record_path, sizeof(left->record_path), "%s/" FILE_RECORD "%s", state, file);
	err = left_lock(left, tries);
	if (!err)
		err = record_read(left, pid);
	if (err)
		left_close(left);
	return err;
}

/* And its file, if that is there. */
static int left_take(struct left *left, const char *state, const char *file, pid_t pid, int tries)
{
	int err = left_begin(left, state, file, pid, tries);

	if (err)
		return err;
	err = left_find(left);
	if (err)
		left_close(left);
	return err;
}

static void left_remove(struct left *left)
{
	if (left->fd >= 0)
		unlinkat(left->folder, left->name, 0);
	unlink(left->record_path);
}

/* Whoever has it mapped was to die with its supervisor, and may be about to. */
static int left_wait(const struct left *left)
{
	if (lock_take(left->fd, TRIES))
		return 0;
	return fail(-EBUSY, "memory.folder: \"%s/%s\": a process holds it still: it isn't cleared, and stays",
		    left->folder_path, left->name);
}

static int left_clear(const struct left *left, struct memory_cleared *cleared)
{
	const struct memory_crew crew = { .count = 0 };
	struct memory mem = { .fd = left->fd };
	struct stat st;
	int err = left_wait(left);

	if (err || fstat(left->fd, &st))
		return err ? err : -errno;
	mem.page_size = (uint64_t)st.st_blksize;
	mem.layout.size = (uint64_t)st.st_size;
	if (!st.st_blocks) /* killed before it had a page */
		return 0;
	err = memory_clear(&mem, &crew, left->how ? MEMORY_CLEAR_VERIFY : MEMORY_CLEAR_SAMPLE, cleared);
	return err ? fail(err, "memory.folder: \"%s/%s\": isn't cleared, and stays", left->folder_path, left->name) : 0;
}

int memory_recover(const char *state, const char *file, pid_t pid, struct memory_cleared *cleared)
{
	struct left left;
	int err = left_take(&left, state, file, pid, 1);

	*cleared = (struct memory_cleared){ 0 };
	if (err)
		return err == -ENOENT ? 0 : err;
	if (left.fd >= 0)
		err = left_clear(&left, cleared);
	if (!err)
		left_remove(&left);
	left_close(&left);
	return err ? err : cleared->bytes > 0;
}

int memory_left_open(const char *state, const char *file, pid_t pid)
{
	struct left left;
	int err = left_take(&left, state, file, pid, 1), fd = left.fd;

	if (err)
		return err;
	left.fd = -1;
	left_close(&left);
	return fd < 0 ? -ENOENT : fd;
}

void memory_left_remove(const char *state, const char *file, pid_t pid)
{
	struct left left;

	/* of what dies with a supervisor, all but the first was in its lock too */
	if (left_take(&left, state, file, pid, TRIES))
		return;
	left_remove(&left);
	left_close(&left);
}

struct walk {
	const char *state;
	void (*each)(void *context, const char *file, pid_t pid);
	void *context;
	int err;
};

static int walk_one(void *context, const char *name)
{
	const char *file = name + strlen(FILE_RECORD);
	struct walk *walk = context;
	struct left left;
	pid_t pid;
	int err;

	if (strncmp(name, FILE_RECORD, strlen(FILE_RECORD)) != 0 || strlen(file) >= MEMORY_FILE_MAX)
		return 0;
	err = left_begin(&left, walk->state, file, 0, 1);
	if (err) {
		walk->err = walk->err || err == -ENOENT ? walk->err : err;
		return 0;
	}
	pid = left.pid;
	left_close(&left);
	walk->each(walk->context, file, pid);
	return 0;
}

int memory_left_each(const char *state, void (*each)(void *context, const char *file, pid_t pid), void *context)
{
	struct walk walk = { state, each, context, 0 };
	int err = folder_each(state, walk_one, &walk);

	return err ? fail(err, "memory.folder: \"%s\": %s", state, strerror(-err)) : walk.err;
}
