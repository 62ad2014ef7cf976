// SPDX-License-Identifier: GPL-2.0-only
/* Whose each core is: the thread that had it for longest. It is no noise; nor is idling. */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pinning/noise/internal.h"

#define STAT_MAX 1024

/* proc_pid_stat(5): "PID (COMM) STATE ...", and field 39 is the core. A name may have blanks and brackets in it. */
static bool stat_parse(char *text, char *comm, size_t size, char *state, unsigned int *core)
{
	char *open = strchr(text, '('), *close = strrchr(text, ')'), *save = NULL;
	unsigned int field = 3;

	if (!open || !close || close < open)
		return false;
	*close = '\0';
	snprintf(comm, size, "%s", open + 1);
	for (char *word = strtok_r(close + 1, " ", &save); word; word = strtok_r(NULL, " ", &save), field++) {
		if (field == 3)
			*state = *word;
		if (field == 39)
			return sscanf(word, "%u", core) == 1;
	}
	return false;
}

static void thread_look(struct noise *noise, const char *pid, const char *tid)
{
	char path[64], text[STAT_MAX], comm[NOISE_WHAT_MAX], state = '?';
	unsigned int core;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/task/%.16s/stat", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return; /* it has ended */
	if (fgets(text, sizeof(text), file) && stat_parse(text, comm, sizeof(comm), &state, &core) && state == 'R')
		for (unsigned int i = 0; i < noise->ncores; i++)
			if (noise->cores[i] == core && !noise->owners[i][0])
				snprintf(noise->owners[i], sizeof(noise->owners[i]), "%s", comm);
	fclose(file);
}

static void process_look(struct noise *noise, const char *pid)
{
	char path[64];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%.16s/task", pid);
	folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			thread_look(noise, pid, entry->d_name);
	closedir(folder);
}

/* Where there was no switch, whoever runs there now ran there all the time; if none does, the core is idle. */
static void runners_find(struct noise *noise)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			process_look(noise, entry->d_name);
	closedir(folder);
	for (unsigned int i = 0; i < noise->ncores; i++)
		if (!noise->owners[i][0])
			snprintf(noise->owners[i], sizeof(noise->owners[i]), "idle");
}

static void owner_find(struct noise *noise, unsigned int place)
{
	struct noise_source *owner = NULL;

	for (size_t i = 0; i < noise->nsources; i++) {
		struct noise_source *source = &noise->sources[i];

		if (source->kind == NOISE_THREAD && source->counts[place].total_ns >= 0 &&
		    (!owner || source->counts[place].total_ns > owner->counts[place].total_ns))
			owner = source;
	}
	if (!owner)
		return;
	snprintf(noise->owners[place], sizeof(noise->owners[place]), "%s", owner->name);
	owner->counts[place] = (struct noise_count){ 0, -1, -1 };
}

void owners_find(struct noise *noise)
{
	for (unsigned int i = 0; i < noise->ncores; i++)
		owner_find(noise, i);
	for (size_t i = 0; i < noise->nsources; i++)
		if (noise->sources[i].kind == NOISE_THREAD && strcmp(noise->sources[i].name, "idle") == 0)
			for (unsigned int place = 0; place < noise->ncores; place++)
				noise->sources[i].counts[place] = (struct noise_count){ 0, -1, -1 };
	for (unsigned int i = 0; noise->traced && i < noise->ncores; i++) {
		if (noise->owners[i][0])
			continue;
		runners_find(noise);
		return;
	}
}
