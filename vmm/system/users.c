// SPDX-License-Identifier: GPL-2.0-only
/* Who has a file open or mapped, as /proc shows it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/supervisor/proc.h"
#include "vmm/system/system.h"

/* Another look is another process' end: what is gone has nothing. */
static bool is_gone(int err)
{
	return err == ENOENT || err == ESRCH;
}

static bool is_open(pid_t pid, const struct stat *file)
{
	int found = thread_opens(pid, pid, file->st_dev, file->st_ino);

	return found < 0 ? !is_gone(-found) : found;
}

static bool is_mapped(pid_t pid, const struct stat *file)
{
	char path[64], *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps)
		return !is_gone(errno);
	while (!found && getline(&line, &size, maps) > 0)
		mapping_is_header(line, file->st_dev, file->st_ino, &found);
	free(line);
	fclose(maps);
	return found;
}

/* systemd, whose child we are then, has it in its store. */
static bool is_other(pid_t pid)
{
	return pid > 0 && pid != getpid() && pid != getppid();
}

pid_t memory_user(int fd)
{
	const struct dirent *entry;
	struct stat file;
	pid_t user = 0;
	DIR *proc;

	if (fstat(fd, &file))
		return -1;
	proc = opendir("/proc");
	if (!proc)
		return -1;
	while (user == 0 && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (is_other(pid) && (is_open(pid, &file) || is_mapped(pid, &file)))
			user = pid;
	}
	closedir(proc);
	return user;
}
