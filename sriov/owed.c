// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is owed to a namespace that a VM has written: to be cleared. A file a namespace, locked as long as the VM's
 * supervisor lives; who finds it without clears the namespace, when its controller is the host's again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

#define OWED	 "namespace." /* and the controller's address */
#define OWED_MAX 256

static void owed_path(char *path, size_t size, const char *state, const char *address)
{
	snprintf(path, size, "%s/" OWED "%s", state, address);
}

/* Not one that was removed by whoever had it before, while we waited for it. */
static bool is_there(int fd, const char *path)
{
	struct stat ours, there;

	return !fstat(fd, &ours) && !stat(path, &there) && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

int namespace_owe(const char *state, const char *address, enum namespace_clear how)
{
	char path[256], boot[BOOT_ID_SIZE];
	int fd, err;

	owed_path(path, sizeof(path), state, address);
	if (mkdir(state, 0755) && errno != EEXIST)
		return fail(-errno, "functions: \"%s\": %s", state, strerror(errno));
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return fail(-EBUSY,
			    "functions: controller: %s: its namespace is still to be cleared of what a killed VM left: "
			    "wanted that done first (nohype host undo)",
			    address);
	if (fd < 0)
		return fail(-errno, "functions: \"%s\": %s", path, strerror(errno));
	err = flock(fd, LOCK_EX | LOCK_NB) ? -errno : boot_id_read(boot, "");
	if (!err)
		err = line_append(fd, "boot %s clear %d\n", boot, (int)how);
	if (!err)
		return fd;
	unlink(path);
	close(fd);
	return fail(err, "functions: \"%s\": %s", path, strerror(-err));
}

void namespace_settle(const char *state, const char *address, int *owed)
{
	char path[256];

	if (*owed < 0)
		return;
	owed_path(path, sizeof(path), state, address);
	unlink(path);
	fd_close(owed);
}

/*
 * How it is to be cleared. -ENODATA: not written to its end: nothing was begun. -ESTALE: of another boot, which may
 * have called another device so. Others: that can't be told.
 */
static int owed_read(int fd)
{
	char text[OWED_MAX + 1], is[64];
	ssize_t len = pread(fd, text, OWED_MAX, 0);
	int how, err;

	if (len < 0)
		return -errno;
	text[len] = '\0';
	if (sscanf(text, "boot %63s clear %d\n", is, &how) != 2 || !strchr(text, '\n') || how < 0)
		return -ENODATA;
	err = boot_id_check(is);
	return err ? err : how;
}

/* True: there is nothing more to be done about it. */
static bool owed_pay(int fd, const char *address)
{
	char controller[NAMESPACE_NAME];
	struct namespace namespace;
	int how = owed_read(fd), err;
	const char *by;

	if (how == -ENODATA || how == -ESTALE)
		return true;
	if (how < 0) {
		warn("functions: controller %s: what it is owed can't be read, and is tried again: %s", address,
		     strerror(-how));
		return false;
	}
	if (controller_name(address, controller)) {
		warn("functions: controller %s: the host's driver hasn't got it, and what a killed VM left in its "
		     "namespace isn't cleared",
		     address);
		return false;
	}
	err = namespace_wait(&namespace, address);
	if (err)
		return false;
	err = namespace_clear(&namespace, (enum namespace_clear)how, false, &by, NULL, NULL);
	if (!err)
		note("functions: namespace %s (%s), which a killed VM had, is cleared (%s)", namespace.name, address,
		     by);
	namespace_close(&namespace);
	return !err;
}

static int owed_recover(void *ctx, const char *name)
{
	const char *state = ctx, *address = name + sizeof(OWED) - 1;
	char path[256];
	int fd;

	if (strncmp(name, OWED, sizeof(OWED) - 1) != 0)
		return 0;
	owed_path(path, sizeof(path), state, address);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (!flock(fd, LOCK_EX | LOCK_NB) && is_there(fd, path) && owed_pay(fd, address))
		unlink(path);
	close(fd);
	return 0;
}

void namespaces_recover(const char *state)
{
	sysfs_each(state, owed_recover, (void *)state);
}
