// SPDX-License-Identifier: GPL-2.0-only
/* Where the report goes. Tried before the VM starts, since afterwards there is no second chance. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "vmm/supervisor/internal.h"

#define TEMPORARY_MAX 64 /* bytes of a temporary file's name */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The folder that @path is in, open; negative errno, reported. */
static int folder_open(const char *path)
{
	size_t len = (size_t)(file_name(path) - path);
	char *folder = len ? strndup(path, len) : strdup(".");
	int fd;

	if (!folder)
		return fail(-ENOMEM, "report: no memory for its path");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = fail(-errno, "report: \"%s\": its folder: %s", path, strerror(errno));
	free(folder);
	return fd;
}

/* It will replace what is there: a file of the same name, but nothing else, a device or a link least of all. */
static int target_check(int folder, const char *path)
{
	const char *name = file_name(path);
	struct stat st;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return fail(-EISDIR, "report: \"%s\": a folder: wanted a file's path", path);
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : fail(-errno, "report: \"%s\": %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(-EISDIR, "report: \"%s\": a folder: wanted a file's path", path);
	if (!S_ISREG(st.st_mode))
		return fail(-EINVAL, "report: \"%s\": not a regular file, and would be replaced: wanted another path",
			    path);
	return 0;
}

/* A new file in the folder, under a name that no one else has. Negative errno; reports nothing. */
static int temporary_make(int folder, char *name)
{
	static unsigned int number;
	int fd;

	do {
		snprintf(name, TEMPORARY_MAX, ".nohype-report.%d.%u", (int)getpid(), number++);
		fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	} while (fd < 0 && errno == EEXIST);
	return fd < 0 ? -errno : fd;
}

/* Nothing says that a file can be written but writing one. */
static int folder_try(int folder, const char *path)
{
	char name[TEMPORARY_MAX];
	int fd = temporary_make(folder, name);

	if (fd < 0)
		return fail(fd, "report: \"%s\": its folder can't be written: %s", path, strerror(-fd));
	close(fd);
	unlinkat(folder, name, 0);
	return 0;
}

static int folder_check(const struct vm_config *cfg)
{
	int folder = folder_open(cfg->report), err;

	if (folder < 0)
		return folder;
	err = target_check(folder, cfg->report);
	if (!err)
		err = folder_try(folder, cfg->report);
	if (!err)
		return folder;
	close(folder);
	return err;
}

int report_check(const struct vm_config *cfg)
{
	int folder = cfg->report ? folder_check(cfg) : 0;

	if (cfg->report && folder >= 0)
		close(folder);
	return folder < 0 ? folder : 0;
}

int report_take(struct vm *vm)
{
	int err;

	vm->report.folder = -1;
	if (!vm->cfg->report)
		return 0;
	vm->report.folder = folder_check(vm->cfg);
	vm->report.name = file_name(vm->cfg->report);
	if (vm->report.folder < 0)
		return vm->report.folder;
	err = timeline_make(&vm->report.timeline, vm->plan.vcpus);
	if (err)
		fd_close(&vm->report.folder);
	return err;
}

/* Takes @fd. All of it is on the disk before it gets its name. */
static int json_write(json_t *json, int fd)
{
	FILE *file = fdopen(fd, "w");
	int err = 0;

	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	if (json_dumpf(json, file, JSON_INDENT(1)) || fputc('\n', file) == EOF || fflush(file) || fsync(fd))
		err = errno ? -errno : -EIO;
	if (fclose(file) && !err)
		err = -errno;
	return err;
}

static int report_write(const struct report *report)
{
	char name[TEMPORARY_MAX];
	int fd = temporary_make(report->folder, name), err;

	if (fd < 0)
		return fd;
	errno = 0;
	err = json_write(report->json, fd);
	if (!err && renameat(report->folder, name, report->folder, report->name))
		err = -errno;
	if (err)
		unlinkat(report->folder, name, 0);
	else
		fsync(report->folder);
	return err;
}

void report_give_back(struct vm *vm)
{
	struct report *report = &vm->report;
	int err = 0;

	if (report->json)
		report_finish(vm);
	if (report->json)
		err = report_write(report);
	if (err)
		fail(err, "report: \"%s\": not written: %s", vm->cfg->report, strerror(-err));
	report->failed = err != 0;
	json_decref(report->json);
	free(report->at_seal);
	timeline_free(&report->timeline);
	fd_close(&report->folder);
	report->json = NULL;
	report->at_seal = NULL;
}
