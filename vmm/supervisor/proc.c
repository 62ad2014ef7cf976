// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/proc.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "pinning/pinning.h"

#define TIDS_MAX 320 /* more than there are vCPUs, and what is beside them */

int status_read(pid_t pid, pid_t tid, char *text)
{
	char path[64];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	len = fread(text, 1, STATUS_MAX - 1, file);
	fclose(file);
	text[len] = '\0';
	return len ? 0 : -ESRCH;
}

bool status_line(const char *text, const char *name, char *value, size_t size)
{
	const char *at = text;
	size_t len = strlen(name);

	while (at && (strncmp(at, name, len) != 0 || at[len] != ':')) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return false;
	at += len + 1;
	at += strspn(at, " \t");
	snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
	return true;
}

bool status_number(const char *text, const char *name, int base, uint64_t *number)
{
	char value[64];

	if (!status_line(text, name, value, sizeof(value)))
		return false;
	*number = strtoull(value, NULL, base);
	return true;
}

static int tid_compare(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

int threads_read(pid_t pid, pid_t *tids, unsigned int max)
{
	const struct dirent *entry;
	unsigned int count = 0;
	char path[32];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder)) && count < max)
		if (entry->d_name[0] != '.')
			tids[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
	closedir(folder);
	qsort(tids, count, sizeof(*tids), tid_compare);
	return (int)count;
}

int thread_opens(pid_t pid, pid_t tid, dev_t device, ino_t inode)
{
	const struct dirent *entry;
	struct stat st;
	char path[64];
	DIR *folder;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", (int)pid, (int)tid);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while (!found && (entry = readdir(folder)))
		found = entry->d_name[0] != '.' && !fstatat(dirfd(folder), entry->d_name, &st, 0) &&
			st.st_dev == device && st.st_ino == inode;
	closedir(folder);
	return found;
}

int process_opens(pid_t pid, dev_t device, ino_t inode)
{
	pid_t tids[TIDS_MAX] = { 0 };
	int count = threads_read(pid, tids, TIDS_MAX), found = count < 0 ? count : 0;

	for (int i = 0; !found && i < count; i++)
		found = thread_opens(pid, tids[i], device, inode);
	return count == TIDS_MAX && !found ? -E2BIG : found;
}

#define PF_USER_WORKER 0x00004000 /* include/linux/sched.h, since 6.4 */

bool thread_is_worker(pid_t pid, pid_t tid)
{
	char path[64], stat[512];
	unsigned int flags = 0;
	const char *after;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	len = fread(stat, 1, sizeof(stat) - 1, file);
	fclose(file);
	stat[len] = '\0';
	/* "PID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS ...", and a name may hold anything */
	after = strrchr(stat, ')');
	return after && sscanf(after, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && flags & PF_USER_WORKER;
}

bool cpu_list_has(const char *list, unsigned int cpu)
{
	unsigned long first, last;

	while (cpu_list_next(&list, &first, &last))
		if (cpu >= first && cpu <= last)
			return true;
	return false;
}

bool mapping_is_header(const char *line, dev_t device, ino_t inode, bool *ours)
{
	unsigned int major_number, minor_number;
	unsigned long long number;

	if (sscanf(line, "%*x-%*x %*4s %*x %x:%x %llu", &major_number, &minor_number, &number) != 3)
		return false;
	*ours = major(device) == major_number && minor(device) == minor_number && inode == number;
	return true;
}

static void smaps_value(const char *line, struct mapped_file *mapped)
{
	uint64_t kib;
	char name[32];

	if (sscanf(line, "%31[A-Za-z_]: %" SCNu64 " kB", name, &kib) != 2)
		return;
	if (strcmp(name, "Size") == 0)
		mapped->size += kib << 10;
	else if (strcmp(name, "KernelPageSize") == 0)
		mapped->page_size = mapped->page_size ? MIN(mapped->page_size, kib << 10) : kib << 10;
	else if (strcmp(name, "Rss") == 0 || strcmp(name, "Shared_Hugetlb") == 0 ||
		 strcmp(name, "Private_Hugetlb") == 0)
		mapped->resident += kib << 10; /* huge pages aren't in Rss */
}

int smaps_sum(FILE *smaps, dev_t device, ino_t inode, struct mapped_file *mapped)
{
	bool ours = false, any = false;
	char *line = NULL;
	size_t size = 0;

	*mapped = (struct mapped_file){ 0 };
	while (getline(&line, &size, smaps) > 0) {
		if (mapping_is_header(line, device, inode, &ours))
			any = true;
		else if (ours)
			smaps_value(line, mapped);
	}
	free(line);
	return any ? 0 : -EPROTO;
}
