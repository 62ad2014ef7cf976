// SPDX-License-Identifier: GPL-2.0-only
/* What the host does on the cores by itself: ticks, watchdogs, servers, polls, and other tasks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/doctor/internal.h"
#include "vmm/supervisor/proc.h"

#define CPU_FOLDER    "/sys/devices/system/cpu/"
#define SCHED_FOLDER  "/sys/kernel/debug/sched/"
#define STATES_MAX    16 /* idle states of a core: CPUIDLE_STATE_MAX is 10 */
#define LATENCY_WANT  20 /* microseconds; C1 takes 1 or 2, C1E 10, C6 50 and more */
#define CORE_MANAGER  "nohype-core"
#define SOFT_WATCHDOG "/proc/sys/kernel/soft_watchdog"

/*
 * One value of each core that matters, as @fmt names it by number: those that aren't as wanted into @odd.
 * The error of the first that can't be read.
 */
static int each_core(const struct doctor *doctor, const char *fmt, const char *wanted, struct names *odd)
{
	char path[PATH_SIZE], text[VALUE_MAX];
	int err = -ENODEV;

	for (int cpu = core_next(doctor, -1); cpu >= 0; cpu = core_next(doctor, cpu)) {
		ssize_t len;

		/* the formats are this file's own */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof(path), fmt, cpu);
#pragma GCC diagnostic pop
		len = value_read(doctor, path, text, sizeof(text));
		if (len < 0)
			return (int)len;
		if (!value_wanted(text, wanted))
			name_add(odd, "%d: %.40s", cpu, text);
		err = 0;
	}
	return err;
}

void look_tick_device(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names odd = { 0 };
	int err = each_core(doctor, "/sys/devices/system/clockevents/clockevent%d/current_device", check->wanted, &odd);

	if (err)
		found_unread(finding, check->source, err);
	else if (odd.count)
		found(finding, CHECK_BAD, "%s", names_end(&odd));
	else
		found(finding, CHECK_OK, "each core's own");
}

void look_governor(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names odd = { 0 };
	int err = each_core(doctor, CPU_FOLDER "cpu%d/cpufreq/scaling_governor", check->wanted, &odd);

	if (err == -ENOENT)
		found(finding, CHECK_OK, "Linux sets no frequency here");
	else if (err)
		found_unread(finding, check->source, err);
	else if (odd.count)
		found(finding, CHECK_BAD, "%s", names_end(&odd));
	else
		found(finding, CHECK_OK, "%s", check->wanted);
}

/* False: the core has no such state. */
static bool state_judge(const struct doctor *doctor, int cpu, int state, struct names *deep)
{
	char folder[PATH_SIZE], path[PATH_SIZE + 16], name[32];
	long long latency, disabled;

	snprintf(folder, sizeof(folder), CPU_FOLDER "cpu%d/cpuidle/state%d", cpu, state);
	snprintf(path, sizeof(path), "%s/latency", folder);
	if (number_read(doctor, path, &latency))
		return false;
	snprintf(path, sizeof(path), "%s/disable", folder);
	if (number_read(doctor, path, &disabled))
		disabled = 0;
	snprintf(path, sizeof(path), "%s/name", folder);
	if (value_read(doctor, path, name, sizeof(name)) <= 0)
		snprintf(name, sizeof(name), "state%d", state);
	if (latency > LATENCY_WANT && !disabled)
		name_add(deep, "%d: %s (%lld us)", cpu, name, latency);
	return true;
}

void look_idle_states(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names deep = { 0 };
	unsigned int states = 0;

	(void)check;
	for (int cpu = core_next(doctor, -1); cpu >= 0; cpu = core_next(doctor, cpu))
		for (int state = 0; state < STATES_MAX && state_judge(doctor, cpu, state, &deep); state++)
			states++;
	if (deep.count)
		found(finding, CHECK_BAD, "%s", names_end(&deep));
	else
		found(finding, CHECK_OK, states ? "none that takes long to leave" : "Linux has no idle driver here");
}

void look_watchdog(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	long long runs;
	cpu_set_t set;
	char text[80];
	int err = number_read(doctor, SOFT_WATCHDOG, &runs);

	(void)check;
	if (err == -ENOENT) {
		found(finding, CHECK_OK, "this kernel is made without it");
		return;
	}
	if (!err)
		err = list_read(doctor, "/proc/sys/kernel/watchdog_cpumask", &set);
	if (err)
		found_unread(finding, check->source, err);
	else
		found(finding, runs && cores_touch(doctor, &set) ? CHECK_BAD : CHECK_OK, "%s; on CPUs %s",
		      runs ? "on" : "off", list_text(&set, text, sizeof(text)));
}

/* Since 6.12 the fair server does what throttling did, and this limits deadline tasks and servers alone. */
void look_rt_throttling(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	look_value(doctor, check, finding);
	if (finding->status == CHECK_BAD)
		finding->status = CHECK_NOTE; /* vCPU threads are no real-time tasks */
}

/* A deadline server that every core has from 6.12 on; it wakes a core that one task has for itself. */
void look_fair_server(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names odd = { 0 };
	int err;

	if (!path_exists(doctor, SCHED_FOLDER)) {
		found(finding, CHECK_UNKNOWN, SCHED_FOLDER ": not to be seen: debugfs, and root");
		return;
	}
	if (!path_exists(doctor, SCHED_FOLDER "fair_server")) {
		found(finding, CHECK_OK, "this kernel has none");
		return;
	}
	err = each_core(doctor, SCHED_FOLDER "fair_server/cpu%d/runtime", check->wanted, &odd);
	if (err)
		found_unread(finding, check->source, err);
	else if (odd.count)
		found(finding, CHECK_BAD, "ns a period: %s", names_end(&odd));
	else
		found(finding, CHECK_OK, "0 ns on each core");
}

void look_machine_check(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names odd = { 0 };
	int err = each_core(doctor, "/sys/devices/system/machinecheck/machinecheck%d/check_interval", check->wanted,
			    &odd);

	if (err == -ENOENT)
		found(finding, CHECK_OK, "this host polls none");
	else if (err)
		found_unread(finding, check->source, err);
	else if (odd.count)
		found(finding, CHECK_BAD, "seconds: %s", names_end(&odd));
	else
		found(finding, CHECK_OK, "none is polled");
}

/* #AC is intercepted only where the processor can raise it for a split lock. */
void look_split_lock(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	if (flag_has(doctor, "split_lock_detect") == 0 && flag_has(doctor, "bus_lock_detect") == 0)
		found(finding, CHECK_OK, "this processor doesn't tell of split locks");
	else
		look_value(doctor, check, finding);
}

/* --- other tasks --- */

struct strangers {
	struct names names;
	char folder[PATH_SIZE]; /* the process' task folder */
	unsigned int looked;
};

/* A program's thread, that may run on a core that matters, and belongs to no VM. Kernel threads have no memory. */
static void thread_judge(const struct doctor *doctor, const char *tid, void *ctx)
{
	struct strangers *strangers = ctx;
	char path[PATH_SIZE + 48], text[STATUS_MAX], value[VALUE_MAX];
	cpu_set_t set;

	snprintf(path, sizeof(path), "%s/%.32s/status", strangers->folder, tid);
	if (value_read(doctor, path, text, sizeof(text)) <= 0 || !status_line(text, "VmSize", value, sizeof(value)))
		return;
	strangers->looked++;
	if (!status_line(text, "Cpus_allowed_list", value, sizeof(value)) || list_parse(value, &set) ||
	    !cores_touch(doctor, &set))
		return;
	if (status_line(text, "Name", value, sizeof(value)) && strcmp(value, CORE_MANAGER) != 0)
		name_add(&strangers->names, "%.32s (%.16s)", tid, value);
}

static void process_judge(const struct doctor *doctor, const char *pid, void *ctx)
{
	struct strangers *strangers = ctx;

	/* we are gone in a moment */
	if (pid[0] < '0' || pid[0] > '9' || strtol(pid, NULL, 10) == getpid())
		return;
	snprintf(strangers->folder, sizeof(strangers->folder), "/proc/%.32s/task", pid);
	entries_each(doctor, strangers->folder, thread_judge, strangers);
}

void look_tasks(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct strangers strangers = { 0 };
	int count = entries_each(doctor, "/proc", process_judge, &strangers);

	if (count < 0 || !strangers.looked)
		found_unread(finding, check->source, count < 0 ? count : -EINVAL);
	else if (strangers.names.count)
		found(finding, CHECK_BAD, "may run there: %s", names_end(&strangers.names));
	else
		found(finding, CHECK_OK, "no other program may run there");
}
