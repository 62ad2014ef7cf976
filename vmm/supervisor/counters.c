// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/counters.h"

#include <string.h>

#include "vmm/supervisor/stats.h"

/* Whose names and places we can take: one number that only grows and counts events. */
static bool is_plain(const struct kvm_stats_desc *desc)
{
	return (desc->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE &&
	       (desc->flags & KVM_STATS_UNIT_MASK) == KVM_STATS_UNIT_NONE && desc->size == 1 &&
	       strlen(desc->name) < COUNTER_NAME_SIZE;
}

static void counter_visit(const struct kvm_stats_desc *desc, uint64_t at, void *ctx)
{
	struct counter_table *table = ctx;

	if (table->count == COUNTERS_MAX || !is_plain(desc))
		return;
	strcpy(table->names[table->count], desc->name);
	table->at[table->count++] = at;
}

int counters_find(int stats_fd, struct counter_table *table)
{
	table->count = 0;
	return stats_each(stats_fd, counter_visit, table);
}

void counters_read(int stats_fd, const struct counter_table *table, uint64_t *values)
{
	for (unsigned int i = 0; i < table->count; i++)
		if (!stats_read(stats_fd, table->at[i], &values[i]))
			values[i] = 0;
}
