/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_HOST_INTERNAL_H
#define PINNING_HOST_INTERNAL_H

#include <stdarg.h>

#include "pinning/host/host.h"

#define GROUP "nohype" /* the cgroup that is the partition, and the tracing instances */

/* lines.c: @format as printf's. 0, or -ENOMEM, reported. */
int lines_add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lines_free(struct lines *lines);

/*
 * plan.c, for the planners: they return 0 or negative errno, reported. All take @path and @new malloced, and free them;
 * NULL is "no memory".
 */

/* @path under the host's root. */
char *host_path(const struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One value becomes @new, if it isn't that. A file that isn't there: nothing. */
int plan_value(struct host *host, struct change change, char *path, char *new, const char *detail);

/* The same with all of a new folder's, which were nothing before: @old. */
int plan_new(struct host *host, struct change change, char *path, const char *old, const char *new);

/* A list or mask of CPUs loses the cores; one that had nothing else becomes @instead. */
int plan_cpus(struct host *host, struct change change, char *path, const struct cpus *instead, const char *detail);

/* The planners, in the order of enum subject. */
int plan_tracepoint(struct host *host);
int plan_interrupts(struct host *host);
int plan_workqueues(struct host *host);
int plan_watchdog(struct host *host);
int plan_network(struct host *host);
int plan_machine_checks(struct host *host);
int plan_khugepaged(struct host *host);
int plan_fair_server(struct host *host);
int plan_frequency(struct host *host);
int plan_idle(struct host *host);
int plan_partition(struct host *host);
int plan_tasks(struct host *host);

/* siblings.c: cores that share a physical one with the host. Changes nothing. */
int plan_siblings(struct host *host);

/* reboot.c: what only the kernel's command line can change. */
int plan_reboot(struct host *host);

/* apply.c: make one change, and see that it is made. Negative errno, reported. */
int change_apply(struct change *change);

/*
 * undo.c: restore all of @changes, which took @cores, in reverse order but the tasks last. Fills @outcomes, one a
 * change, and counts them.
 */
void changes_undo(const struct changes *changes, const struct cpus *cores, const char *root,
		  enum change_outcome *outcomes, size_t counts[OUTCOMES]);

/* The group that is the partition, or NULL: there is none among @changes. */
const char *changes_group(const struct changes *changes);

/* journal.c: as host.h's; -ENOSPC and the like, reported. */
int journal_write(const struct journal *journal, const char *state);
int journal_remove(const char *state);
int journal_parse(struct journal *journal, const char *text, size_t len, const char *boot, const char *name);
int journal_boot(char boot[BOOT_ID_SIZE], const char *root);

/* partition.c: where cgroup v2 is mounted, malloced, of the table @mounts; NULL: nowhere. */
char *cgroup_find(const char *mounts);

#endif
