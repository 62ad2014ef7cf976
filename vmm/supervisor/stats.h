/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_STATS_H
#define VMM_SUPERVISOR_STATS_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One counter: its description, name and all, and where its value stands in the file. */
typedef void stats_visit_fn(const struct kvm_stats_desc *desc, uint64_t at, void *ctx);

/* Each counter of the statistics @fd. Negative errno, reported. */
int stats_each(int fd, stats_visit_fn *visit, void *ctx);

/* Where the @count counters of those names stand: into @at. Negative errno, reported; -ENOENT: one isn't there. */
int stats_find(int fd, const char *const *names, size_t count, uint64_t *at);

/* The value that stands @at. Interrupts nobody. */
bool stats_read(int fd, uint64_t at, uint64_t *value);

#endif
