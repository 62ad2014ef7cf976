// SPDX-License-Identifier: GPL-2.0-only
/* Memory with a name, which is there until it is removed, whoever dies. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

struct memory_file {
	int folder;
	int record; /* locked */
	bool made;  /* the file is ours to remove */
	bool stays;
	char name[MEMORY_FILE_MAX];
	char record_path[192];
	char path[MEMORY_FOLDER_MAX + MEMORY_FILE_MAX];
};

/* What who comes next must know, before there is anything. */
static int record_begin(struct memory_file *file, const struct memory_place *place)
{
	if (mkdir(place->state, 0755) && errno != EEXIST)
		return fail(-errno, "memory.folder: \"%s\": %s", place->state, strerror(errno));
	snprintf(file->record_path, sizeof(file->record_path), "%s/" FILE_RECORD "%s", place->state, place->file);
	file->record = record_make(file->record_path, "memory.folder", FILE_RECORD_HEAD,
				   "pid %d\nclear %d\nfolder %s\n", (int)getpid(), (int)place->how, place->folder);
	return MIN(file->record, 0);
}

/*
 * Its lock is of the open file, which the core manager's mapping and nohyped's copy are of: while one of them is there,
 * nobody else takes it for left.
 */
static int file_make(struct memory *mem)
{
	struct memory_file *file = mem->file;
	struct stat st;
	int err;

	mem->fd = openat(file->folder, file->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (mem->fd < 0 && errno == EEXIST)
		return fail(-EEXIST,
			    "memory.folder: \"%s\": is there already, and of no VM that was killed: wanted it removed, "
			    "or another folder",
			    file->path);
	if (mem->fd < 0)
		return fail(-errno, "memory.folder: \"%s\": %s", file->path, strerror(errno));
	file->made = true;
	err = fstat(mem->fd, &st) || flock(mem->fd, LOCK_EX | LOCK_NB)
		      ? -errno
		      : line_append(file->record, "inode %" PRIu64 "\n", (uint64_t)st.st_ino);
	return err ? fail(err, "memory.folder: \"%s\": %s", file->path, strerror(-err)) : 0;
}

int named_make(struct memory *mem, const struct memory_request *req)
{
	const struct memory_place *place = &req->place;
	struct memory_file *file = calloc(1, sizeof(*file));
	int err;

	if (!file)
		return fail(-ENOMEM, "memory.folder: no memory for its name");
	mem->file = file;
	file->record = -1;
	snprintf(file->name, sizeof(file->name), "%s", place->file);
	snprintf(file->path, sizeof(file->path), "%s/%s", place->folder, place->file);
	file->folder = folder_open(req);
	err = file->folder < 0 ? file->folder : record_begin(file, place);
	if (!err)
		err = file_make(mem);
	if (err)
		memory_release(mem);
	return err;
}

void named_remove(struct memory *mem)
{
	struct memory_file *file = mem->file;

	if (file->made && !file->stays && unlinkat(file->folder, file->name, 0))
		warn("memory.folder: \"%s\": %s", file->path, strerror(errno));
	if (file->record >= 0 && !file->stays)
		unlink(file->record_path);
	fd_close(&file->record);
	fd_close(&file->folder);
	free(file);
	mem->file = NULL;
}

const char *memory_leave(struct memory *mem)
{
	if (!mem->file)
		return NULL;
	mem->file->stays = true;
	return mem->file->path;
}

static const char *file_resizable(const struct memory *mem)
{
	struct stat st;

	if (fstat(mem->fd, &st))
		return "its file can't be looked at";
	if (st.st_uid != geteuid() || st.st_mode & (S_IRWXG | S_IRWXO))
		return "others may open its file";
	if (st.st_nlink != 1)
		return "its file has not one name";
	if ((uint64_t)st.st_size != mem->layout.size)
		return "the size of its file isn't what it was";
	return folder_exposed(mem->file->folder);
}

const char *memory_resizable(const struct memory *mem)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	int seals;

	if (mem->file)
		return file_resizable(mem);
	seals = fcntl(mem->fd, F_GET_SEALS);
	return seals < 0 || (seals & wanted) != wanted ? "the size of its file isn't locked" : NULL;
}
