/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_COUNTERS_H
#define VMM_SUPERVISOR_COUNTERS_H

#include <stdint.h>

/* All that KVM counts of a vCPU: the kinds of exits, and what they made it do. */
#define COUNTERS_MAX	  128
#define COUNTER_NAME_SIZE 48 /* bytes; KVM_STATS_NAME_SIZE */

struct counter_table {
	unsigned int count;
	char names[COUNTERS_MAX][COUNTER_NAME_SIZE];
	uint64_t at[COUNTERS_MAX]; /* in the file */
};

/* The plain counters, no times and no histograms, that statistics like @stats_fd have. Negative errno, reported. */
int counters_find(int stats_fd, struct counter_table *table);

/* Their values now; those that can't be read are 0. Interrupts nobody. */
void counters_read(int stats_fd, const struct counter_table *table, uint64_t *values);

#endif
