// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel does on every core of its own accord. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "pinning/host/internal.h"

/* Documentation/core-api/workqueue.rst: work that isn't bound to a CPU runs on none but these. */
int plan_workqueues(struct host *host)
{
	const struct change change = { .kind = CHANGE_MASK, .subject = SUBJECT_WORKQUEUES };

	return plan_cpus(host, change, host_path(host, "/sys/devices/virtual/workqueue/cpumask"), &host->rest, "");
}

/* Documentation/admin-guide/lockup-watchdogs.rst: a timer and an NMI a CPU. The file is there with either off, too. */
int plan_watchdog(struct host *host)
{
	const struct change change = { .kind = CHANGE_LIST, .subject = SUBJECT_WATCHDOG };

	return plan_cpus(host, change, host_path(host, "/proc/sys/kernel/watchdog_cpumask"), &host->rest, "");
}

/*
 * Documentation/ABI/testing/sysfs-mce: seconds between polls for corrected errors, by a timer on each CPU; 0: none. One
 * value for the whole host, whichever CPU's file is written (arch/x86/kernel/cpu/mce/core.c). Machine checks
 * themselves, and corrected errors that make an interrupt, are told as before.
 */
int plan_machine_checks(struct host *host)
{
	const struct change change = { .kind = CHANGE_NUMBER, .subject = SUBJECT_MACHINE_CHECKS };
	const char *file = "/sys/devices/system/machinecheck/machinecheck0/check_interval";

	return plan_value(host, change, host_path(host, "%s", file), strdup("0"), "the whole host's");
}

/*
 * Documentation/admin-guide/mm/transhuge.rst: how long khugepaged sleeps between two passes. For each page that it
 * makes huge it interrupts every CPU, isolated or not (mm/mmu_gather.c, tlb_remove_table_sync_one()). The longest that
 * the kernel takes is 49 days; what wrote it wakes it for one more pass.
 */
int plan_khugepaged(struct host *host)
{
	const struct change change = { .kind = CHANGE_NUMBER, .subject = SUBJECT_KHUGEPAGED };
	const char *file = "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs";

	return plan_value(host, change, host_path(host, "%s", file), strdup("4294967295"), "the whole host's");
}

/*
 * Since 6.12 each CPU's fair tasks have a deadline server that keeps real-time ones from starving them, with a timer
 * that runs while there is such a task (Documentation/scheduler/sched-deadline.rst has the idea; the file is in debugfs
 * alone). A vCPU is the one task on its core.
 */
int plan_fair_server(struct host *host)
{
	const struct change change = { .kind = CHANGE_NUMBER, .subject = SUBJECT_FAIR_SERVER };
	int err = 0;

	for (unsigned int cpu = 0; !err && cpu < CPUS_MAX; cpu++) {
		if (cpus_has(&host->cores, cpu))
			err = plan_value(host, change,
					 host_path(host, "/sys/kernel/debug/sched/fair_server/cpu%u/runtime", cpu),
					 strdup("0"), "");
	}
	return err;
}
