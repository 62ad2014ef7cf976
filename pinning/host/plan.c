// SPDX-License-Identifier: GPL-2.0-only
/* What taking cores from the host means, before any of it is done. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "base/file.h"
#include "pinning/host/internal.h"

/*
 * In the order in which it is done. The partition comes after what could still fail; undone is it before the
 * interrupts, whose threads' CPUs go with it and come back with them; and the tasks' own CPUs, which making and ending
 * a partition resets, are last both times.
 */
static int (*const planners[SUBJECTS])(struct host *host) = {
	[SUBJECT_TRACEPOINT] = plan_tracepoint,
	[SUBJECT_INTERRUPTS] = plan_interrupts,
	[SUBJECT_WORKQUEUES] = plan_workqueues,
	[SUBJECT_WATCHDOG] = plan_watchdog,
	[SUBJECT_NETWORK] = plan_network,
	[SUBJECT_MACHINE_CHECKS] = plan_machine_checks,
	[SUBJECT_KHUGEPAGED] = plan_khugepaged,
	[SUBJECT_FAIR_SERVER] = plan_fair_server,
	[SUBJECT_FREQUENCY] = plan_frequency,
	[SUBJECT_IDLE] = plan_idle,
	/* what could still fail is done */
	[SUBJECT_PARTITION] = plan_partition,
	[SUBJECT_TASKS] = plan_tasks,
};

char *host_path(const struct host *host, const char *format, ...)
{
	char *path = NULL, *whole;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&path, format, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	whole = text_make("%s%s", host->root, path);
	free(path);
	return whole;
}

int plan_new(struct host *host, struct change change, char *path, const char *old, const char *new)
{
	change.path = path;
	change.old = strdup(old);
	change.new = strdup(new);
	change.detail = strdup("");
	return changes_add(&host->changes, &change);
}

/* A value that is there and can't be read can't be put back either, so it is left. */
static int plan_unreadable(struct host *host, const struct change *change, int err)
{
	if (err == ENOENT || err == ENODEV || err == ESRCH)
		return 0;
	return lines_add(&host->lacking, "%s: %s: can't be read (%s), so it is left as it is",
			 subject_name(change->subject), change->path, strerror(err));
}

int plan_value(struct host *host, struct change change, char *path, char *new, const char *detail)
{
	int err;

	change.path = path;
	change.new = new;
	if (!path || !new)
		return changes_add(&host->changes, &change);
	change.old = change_read(&change);
	if (change.old && strcmp(change.old, new) != 0) {
		change.detail = strdup(detail);
		return changes_add(&host->changes, &change);
	}
	err = change.old ? 0 : plan_unreadable(host, &change, errno);
	free(change.old);
	free(path);
	free(new);
	return err;
}

int plan_cpus(struct host *host, struct change change, char *path, const struct cpus *instead, const char *detail)
{
	struct cpus set;
	char *old;
	int err;

	change.path = path;
	old = path ? change_read(&change) : NULL;
	err = old ? cpus_from_list(&set, old) : 0;
	free(old);
	if (!path || err)
		return fail(path ? err : -ENOMEM, "host: %s: no list of CPUs", path ? path : "no memory for a path");
	if (!old)
		err = plan_unreadable(host, &change, errno);
	if (!old || !cpus_meet(&set, &host->cores)) {
		free(path);
		return err;
	}
	cpus_without(&set, &set, &host->cores);
	return plan_value(host, change, path, cpus_to_list(cpus_empty(&set) ? instead : &set), detail);
}

static int cpus_of_host(const struct host *host, const char *name, struct cpus *set)
{
	char *path = host_path(host, "/sys/devices/system/cpu/%s", name);
	int err = path ? cpus_read(set, path) : -ENOMEM;

	if (err)
		fail(err, "host: %s: %s", path ? path : name, strerror(-err));
	free(path);
	return err;
}

static int core_check(const struct host *host, unsigned int core, const char *online)
{
	if (core == 0)
		return fail(-EINVAL, "host: cores: 0: the host keeps the core that it booted on: its clocks and much "
				     "else stay there");
	if (!cpus_has(&host->possible, core))
		return fail(-ENODEV, "host: cores: %u: this host has no such core (it has %s)", core, online);
	if (!cpus_has(&host->online, core))
		return fail(-ENODEV,
			    "host: cores: %u: is offline (online: %s): echo 1 >/sys/devices/system/cpu/cpu%u/online",
			    core, online, core);
	return 0;
}

static int cores_take(struct host *host, const unsigned int *cores, size_t ncores)
{
	char *online = cpus_to_list(&host->online);
	int err = online ? 0 : fail(-ENOMEM, "host: no memory for a list of cores");

	for (size_t i = 0; !err && i < ncores; i++) {
		err = core_check(host, cores[i], online);
		cpus_add(&host->cores, cores[i]);
	}
	free(online);
	cpus_without(&host->rest, &host->online, &host->cores);
	return err;
}

static char *cgroup_of(const struct host *host)
{
	char *path = host_path(host, "/proc/self/mounts"), *mounts = path ? file_get(path) : NULL;
	char *cgroup = mounts ? cgroup_find(mounts) : NULL, *whole = NULL;

	if (cgroup)
		whole = host_path(host, "%s", cgroup);
	free(cgroup);
	free(mounts);
	free(path);
	return whole;
}

int host_plan(struct host *host, const char *root, const unsigned int *cores, size_t ncores)
{
	int err;

	*host = (struct host){ .root = root };
	err = cpus_of_host(host, "online", &host->online);
	if (!err)
		err = cpus_of_host(host, "possible", &host->possible);
	if (!err)
		err = cpus_of_host(host, "isolated", &host->boot);
	if (!err)
		err = cores_take(host, cores, ncores);
	if (!err)
		host->cgroup = cgroup_of(host);
	for (size_t i = 0; !err && i < SUBJECTS; i++)
		err = planners[i](host);
	if (!err)
		err = plan_siblings(host);
	if (!err)
		err = plan_reboot(host);
	return err;
}

void host_free(struct host *host)
{
	for (size_t i = 0; i < host->nwords; i++)
		free(host->words[i].word);
	free(host->cgroup);
	changes_free(&host->changes);
	lines_free(&host->lacking);
	*host = (struct host){ 0 };
}
