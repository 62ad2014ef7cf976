// SPDX-License-Identifier: GPL-2.0-only
/* The cores as an isolated partition of cgroup v2's cpusets: Documentation/admin-guide/cgroup-v2.rst, "Cpuset". */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/file.h"
#include "pinning/host/internal.h"
#include "pinning/host/task.h"
#include "pinning/pinning.h"

#define CPU_BOOT_ISOLATED "/sys/devices/system/cpu/isolated"

/* Lines of /proc/self/mounts: what, where, type, options. */
char *cgroup_find(const char *mounts)
{
	while (*mounts) {
		size_t len = strcspn(mounts, "\n");
		char where[256], type[32];

		if (sscanf(mounts, "%*s %255s %31s", where, type) == 2 && strcmp(type, "cgroup2") == 0)
			return strdup(where);
		mounts += len + (mounts[len] == '\n');
	}
	return NULL;
}

static bool cpuset_is_there(const char *cgroup)
{
	char *path = text_make("%s/cgroup.controllers", cgroup), *text = path ? file_get(path) : NULL;
	bool there = text && text_has_word(text, "cpuset");

	free(text);
	free(path);
	return there;
}

/* Why there can be none; NULL: there can. */
static const char *partition_lacks(const struct host *host)
{
	if (!host->cgroup)
		return "cgroup v2 isn't mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup";
	if (!cpuset_is_there(host->cgroup))
		return "cgroup v2 has no cpuset controller: cgroup v1 has it, or the kernel was built without it";
	return NULL;
}

/*
 * Threaded, so that a VM's vCPU threads alone can be in it, and its other threads on the host's cores. Exclusive CPUs
 * (the file is there since 6.7) win over what other groups have as their cpuset.cpus.
 */
static int plan_group(struct host *host, const char *cores)
{
	const struct change folder = { .kind = CHANGE_FOLDER, .subject = SUBJECT_PARTITION };
	const struct change word = { .kind = CHANGE_WORD, .subject = SUBJECT_PARTITION };
	const struct change text = { .kind = CHANGE_TEXT, .subject = SUBJECT_PARTITION, .flags = CHANGE_GOES };
	const struct change list = { .kind = CHANGE_LIST, .subject = SUBJECT_PARTITION, .flags = CHANGE_GOES };
	struct change exclusive = list;
	int err;

	exclusive.flags |= CHANGE_MAY_BE_REFUSED;
	err = plan_value(host, word, text_make("%s/cgroup.subtree_control", host->cgroup), strdup("cpuset"), "");
	if (!err)
		err = plan_new(host, folder, text_make("%s/" GROUP, host->cgroup), "absent", "there");
	if (!err)
		err = plan_new(host, text, text_make("%s/" GROUP "/cgroup.type", host->cgroup), "domain", "threaded");
	if (!err)
		err = plan_new(host, list, text_make("%s/" GROUP "/cpuset.cpus", host->cgroup), "", cores);
	if (!err)
		err = plan_new(host, exclusive, text_make("%s/" GROUP "/cpuset.cpus.exclusive", host->cgroup), "",
			       cores);
	if (!err)
		err = plan_new(host, text, text_make("%s/" GROUP "/cpuset.cpus.partition", host->cgroup), "member",
			       "isolated");
	return err;
}

static int group_check(const struct host *host)
{
	char *path = text_make("%s/" GROUP, host->cgroup);
	int err = 0;

	if (!path || file_is(path))
		err = fail(path ? -EEXIST : -ENOMEM,
			   "host: %s/" GROUP
			   " is there already, and no journal tells of it: end what is in it, and rmdir "
			   "it",
			   host->cgroup);
	free(path);
	return err;
}

/* Of the root group, what partitions have left: another's cores would be taken from it, which makes it invalid. */
static int others_check(const struct host *host)
{
	char *path = text_make("%s/cpuset.cpus.effective", host->cgroup), *list = NULL;
	struct cpus free_cores;
	int err = path ? cpus_read(&free_cores, path) : -ENOMEM;

	free(path);
	if (err == -ENOENT)
		return 0;
	if (!err && cpus_within(&host->cores, &free_cores))
		return 0;
	if (!err) {
		cpus_without(&free_cores, &host->cores, &free_cores);
		list = cpus_to_list(&free_cores);
	}
	fail(err ? err : -EBUSY, "host: cores: %s: another cpuset partition's: end that first", list ? list : "these");
	free(list);
	return err ? err : -EBUSY;
}

int plan_partition(struct host *host)
{
	const char *lacks = partition_lacks(host);
	char *cores;
	int err;

	if (cpus_within(&host->cores, &host->boot))
		return 0;
	if (lacks)
		return lines_add(&host->lacking,
				 "partition: %s. Tasks are moved away once, and nothing keeps later ones off", lacks);
	err = group_check(host);
	if (!err)
		err = others_check(host);
	if (err)
		return err;
	/* Linux 6.12 makes none that has a core isolated at boot ("conflicts with housekeeping setup"). */
	cpus_without(&host->partition, &host->cores, &host->boot);
	cores = cpus_to_list(&host->partition);
	err = cores ? plan_group(host, cores) : -ENOMEM;
	free(cores);
	return err;
}

/* --- for whoever runs a VM --- */

static char *cgroup_here(void)
{
	char *mounts = file_get("/proc/self/mounts"), *cgroup = mounts ? cgroup_find(mounts) : NULL;

	free(mounts);
	return cgroup;
}

static bool partition_holds(const char *group)
{
	char *path = text_make("%s/cpuset.cpus.partition", group), *text = path ? file_get(path) : NULL;
	bool holds = text && strcmp(text, "isolated") == 0; /* else it says why not */

	free(text);
	free(path);
	return holds;
}

/* The CPUs of our own partition; none where there is none. */
static void partition_cpus(const char *cgroup, struct cpus *set)
{
	char *group = text_make("%s/" GROUP, cgroup);
	char *path = group ? text_make("%s/cpuset.cpus.effective", group) : NULL;

	if (!path || !partition_holds(group) || cpus_read(set, path))
		*set = (struct cpus){ 0 };
	free(path);
	free(group);
}

/* The root group tells of all partitions since 6.7; before that we know of our own. */
static void partitions_cpus(const char *cgroup, struct cpus *set)
{
	char *path = text_make("%s/cpuset.cpus.isolated", cgroup);

	if (!path || cpus_read(set, path))
		partition_cpus(cgroup, set);
	free(path);
}

int cpus_isolated(struct cpus *set)
{
	struct cpus more = { 0 };
	char *cgroup = cgroup_here();
	int err = cpus_read(set, CPU_BOOT_ISOLATED);

	if (err)
		fail(err, "%s: %s", CPU_BOOT_ISOLATED, strerror(-err));
	if (cgroup)
		partitions_cpus(cgroup, &more);
	cpus_or(set, set, &more);
	free(cgroup);
	return err;
}

void cpus_partition(struct cpus *set)
{
	char *cgroup = cgroup_here();

	*set = (struct cpus){ 0 };
	if (cgroup)
		partition_cpus(cgroup, set);
	free(cgroup);
}

static int group_put(const char *folder, const char *file, pid_t pid)
{
	char *path = text_make("%s/%s", folder, file), *text = text_make("%d", (int)pid);
	int err = path && text ? file_put(path, text) : -ENOMEM;

	if (err)
		fail(err, "host: task %d into %s: %s", (int)pid, path ? path : file, strerror(-err));
	free(text);
	free(path);
	return err;
}

/* Where @cores are all the partition's: the mount of cgroup v2, malloced. */
static char *partition_of(const unsigned int *cores, size_t ncores)
{
	char *cgroup = cgroup_here();
	struct cpus wanted = { 0 }, has = { 0 };

	for (size_t i = 0; i < ncores; i++)
		cpus_add(&wanted, cores[i]);
	if (cgroup)
		partition_cpus(cgroup, &has);
	if (ncores && cpus_within(&wanted, &has))
		return cgroup;
	free(cgroup);
	return NULL;
}

int partition_enter(pid_t pid, const unsigned int *cores, size_t ncores)
{
	char *cgroup = partition_of(cores, ncores);
	int err = cgroup ? group_put(cgroup, GROUP "/cgroup.procs", pid) : 0;

	if (cgroup && !err)
		err = 1;
	free(cgroup);
	return err;
}

static int thread_keep_off(void *context, const char *name)
{
	const struct cpus *rest = context;

	sched_setaffinity(atoi(name), sizeof(*rest), (const cpu_set_t *)rest);
	return 0;
}

/* Before 6.2, who comes into the root group may run on all CPUs, a partition's too (seen on 6.1). */
static int threads_keep_off(pid_t pid)
{
	char *folder = text_make("/proc/%d/task", (int)pid);
	struct cpus online, isolated;
	int err = folder ? cpus_read(&online, CPU_ONLINE) : -ENOMEM;

	if (!err)
		err = cpus_isolated(&isolated);
	if (!err) {
		cpus_without(&online, &online, &isolated);
		err = folder_each(folder, thread_keep_off, &online);
	}
	free(folder);
	return err;
}

static bool process_is_near(pid_t pid)
{
	char *path = text_make("/proc/%d/cgroup", (int)pid), *text = path ? file_get(path) : NULL;
	const char *own = text ? strstr(text, "0::") : NULL;
	bool near = own && (strncmp(own, "0::/" GROUP "\n", 4 + sizeof(GROUP)) == 0 || strcmp(own, "0::/" GROUP) == 0 ||
			    strcmp(own, "0::/") == 0);

	free(text);
	free(path);
	return near;
}

void partition_leave_thread(pid_t tid, const unsigned int *cores, size_t ncores)
{
	char *cgroup = partition_of(cores, ncores);
	struct cpus online, isolated;

	if (cgroup && !group_put(cgroup, "cgroup.threads", tid) && !cpus_read(&online, CPU_ONLINE) &&
	    !cpus_isolated(&isolated)) {
		cpus_without(&online, &online, &isolated);
		sched_setaffinity(tid, sizeof(online), (const cpu_set_t *)&online);
	}
	free(cgroup);
}

/* A thread moves by itself only between groups of one threaded domain, which here is the root's. */
int partition_enter_thread(pid_t pid, pid_t tid, const unsigned int *cores, size_t ncores)
{
	char *cgroup = partition_of(cores, ncores);
	int err = 0;

	if (!cgroup)
		return 0;
	if (!process_is_near(pid)) {
		err = group_put(cgroup, "cgroup.procs", pid);
		if (!err)
			err = threads_keep_off(pid);
	}
	if (!err)
		err = group_put(cgroup, GROUP "/cgroup.threads", tid);
	free(cgroup);
	return err ? err : 1;
}
