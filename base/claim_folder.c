// SPDX-License-Identifier: GPL-2.0-only
/* Where the files of claims are. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/claim_internal.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"

#define ROOTS	 "/run/nohype"
#define FOLDER	 "/claims"
#define PATH_LEN 512

int claim_folder_each(int folder, int (*each)(void *context, int folder, const char *name), void *context)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    result = 0; /* a place of its own to read at */
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		fd_close(&fd);
		return 0;
	}
	while (!result && (entry = readdir(dir)))
		if (strncmp(entry->d_name, CLAIM_FILE_PREFIX, strlen(CLAIM_FILE_PREFIX)) == 0)
			result = each(context, folder, entry->d_name);
	closedir(dir);
	return result;
}

/* --- ours --- */

/* This user's own place for what ends with the session or the boot. */
static int own_place(const char *root, char path[PATH_LEN])
{
	const char *session = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (session && *session == '/' && !stat(session, &st) && st.st_uid == geteuid())
		return snprintf(path, PATH_LEN, "%s/nohype", session);
	snprintf(path, PATH_LEN, "%s/run/user/%u", root, (unsigned int)geteuid());
	if (!stat(path, &st) && st.st_uid == geteuid())
		return snprintf(path, PATH_LEN, "%s/run/user/%u/nohype", root, (unsigned int)geteuid());
	return snprintf(path, PATH_LEN, "%s/tmp/nohype-%u", root, (unsigned int)geteuid());
}

/* A folder that someone else has made where ours would be is none that we could trust. */
static int folder_make(const char *path)
{
	struct stat st;

	if (mkdir(path, 0755) && errno != EEXIST)
		return fail(-errno, "claims: %s: %s", path, strerror(errno));
	if (lstat(path, &st))
		return fail(-errno, "claims: %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return fail(-EPERM, "claims: %s: not a folder of user %u: wanted one, or none", path,
			    (unsigned int)geteuid());
	return 0;
}

int claim_folder_open(const char *root)
{
	char path[PATH_LEN], folder[PATH_LEN + sizeof(FOLDER)];
	int err, fd;

	snprintf(path, sizeof(path), "%s" ROOTS, root);
	snprintf(folder, sizeof(folder), "%s" FOLDER, path);
	if (geteuid() == 0 || access(folder, W_OK | X_OK)) {
		if (geteuid() != 0 && own_place(root, path) >= PATH_LEN)
			return fail(-ENAMETOOLONG, "claims: XDG_RUNTIME_DIR: too long a path");
		snprintf(folder, sizeof(folder), "%s" FOLDER, path);
		err = folder_make(path);
		if (!err)
			err = folder_make(folder);
		if (err)
			return err;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail(-errno, "claims: %s: %s", folder, strerror(errno));
	return fd;
}

/* --- everyone's --- */

struct reading {
	struct claim_holders *holders;
	struct stat own; /* left out; st_ino 0: none */
};

int claim_holder_keep(struct claim_holders *holders, const struct claim_holder *holder)
{
	struct claim_holder *list = reallocarray(holders->list, holders->count + 1, sizeof(*list));

	if (!list) {
		free(holder->list);
		return fail(-ENOMEM, "claims: no memory for those of others");
	}
	holders->list = list;
	list[holders->count++] = *holder;
	return 0;
}

/* What can't be read, or isn't what we write, is no claim. */
static int file_look(void *context, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err = 0;
	struct reading *reading = context;
	struct claim_holder holder;
	struct stat st;

	if (fd < 0)
		return 0;
	if (!fstat(fd, &st) && (st.st_ino != reading->own.st_ino || st.st_dev != reading->own.st_dev) &&
	    claim_file_is_held(fd) && !claim_file_read(fd, &holder))
		err = claim_holder_keep(reading->holders, &holder);
	close(fd);
	return err;
}

static int folder_look(const char *path, struct reading *reading)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), err;

	if (fd < 0)
		return 0;
	err = claim_folder_each(fd, file_look, reading);
	close(fd);
	return err;
}

/* A session's folder of this user that isn't where root looks: then only this user sees what is there. */
static int session_look(const char *root, struct reading *reading)
{
	char path[PATH_LEN], usual[PATH_LEN], folder[PATH_LEN + sizeof(FOLDER)];

	snprintf(usual, sizeof(usual), "%s/run/user/%u/nohype", root, (unsigned int)geteuid());
	if (geteuid() == 0 || own_place(root, path) >= PATH_LEN || strcmp(path, usual) == 0 ||
	    strstr(path, "/tmp/nohype-"))
		return 0;
	snprintf(folder, sizeof(folder), "%s" FOLDER, path);
	return folder_look(folder, reading);
}

int claim_folders_read(struct claim_holders *holders, const char *root, int own)
{
	static const char *const patterns[] = { ROOTS FOLDER, "/run/user/*/nohype" FOLDER, "/tmp/nohype-*" FOLDER };
	struct reading reading = { .holders = holders };
	char pattern[PATH_LEN];
	glob_t found;
	int err = 0;

	*holders = (struct claim_holders){ 0 };
	if (own >= 0 && fstat(own, &reading.own))
		reading.own = (struct stat){ 0 };
	for (size_t i = 0; !err && i < ARRAY_SIZE(patterns); i++) {
		snprintf(pattern, sizeof(pattern), "%s%s", root, patterns[i]);
		if (glob(pattern, GLOB_NOSORT, NULL, &found))
			continue;
		for (size_t k = 0; !err && k < found.gl_pathc; k++)
			err = folder_look(found.gl_pathv[k], &reading);
		globfree(&found);
	}
	return err ? err : session_look(root, &reading);
}

int claims_read(struct claim_holders *holders, const char *root)
{
	return claim_folders_read(holders, root, -1);
}

void claims_free(struct claim_holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		free(holders->list[i].list);
	free(holders->list);
	*holders = (struct claim_holders){ 0 };
}
