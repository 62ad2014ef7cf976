/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_HOST_TASK_H
#define PINNING_HOST_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "pinning/host/cpus.h"

/* Inside pinning/host: the host's tasks (threads), by /proc. None of these reports anything. */

struct task {
	int tid;
	uint64_t start;	  /* ticks since boot */
	bool kernel;	  /* the kernel's own */
	bool fixed;	  /* the kernel refuses to let its CPUs be changed */
	struct cpus cpus; /* where it may run */
	char name[64];	  /* printable */
};

/* The task whose folder in /proc is @path ("/proc/12", "/proc/12/task/13"). Negative errno; -ESRCH: it is gone. */
int task_read(struct task *task, const char *path);

/* Does it serve an interrupt? Then the kernel moves it along with that. */
bool task_is_irq(const struct task *task);

/* Of the task that began at @start: its CPUs as a list, malloced, NULL with errno ESRCH; and set them. */
char *task_cpus_get(const char *path, uint64_t start);
int task_cpus_put(const char *path, uint64_t start, const char *list);

/* Call @each for each task below @proc ("/proc") until it returns something else than 0: that. */
int task_each(const char *proc, int (*each)(void *context, const struct task *task), void *context);

#endif
