// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/counters.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define DESCRIPTORS_MAX 1024 /* no kernel has as many */

/* Whose names and places we can take: one number that only grows and counts events. */
static bool is_plain(const struct kvm_stats_desc *desc)
{
	return (desc->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE &&
	       (desc->flags & KVM_STATS_UNIT_MASK) == KVM_STATS_UNIT_NONE && desc->size == 1;
}

int counters_find(int stats_fd, struct counter_table *table)
{
	union {
		struct kvm_stats_desc desc;
		char bytes[sizeof(struct kvm_stats_desc) + COUNTER_NAME_SIZE];
	} one;
	struct kvm_stats_header head;

	table->count = 0;
	if (pread(stats_fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) || head.name_size != COUNTER_NAME_SIZE ||
	    head.num_desc > DESCRIPTORS_MAX)
		return fail(-EPROTO, "KVM's statistics: a header that can't be");
	for (uint32_t i = 0; i < head.num_desc && table->count < COUNTERS_MAX; i++) {
		off_t at = (off_t)(head.desc_offset + i * sizeof(one));

		if (pread(stats_fd, &one, sizeof(one), at) != (ssize_t)sizeof(one))
			return fail(-EPROTO, "KVM's statistics: a descriptor is missing");
		if (!is_plain(&one.desc))
			continue;
		one.bytes[sizeof(one) - 1] = '\0';
		memcpy(table->names[table->count], one.desc.name, COUNTER_NAME_SIZE);
		table->at[table->count++] = head.data_offset + one.desc.offset;
	}
	return 0;
}

void counters_read(int stats_fd, const struct counter_table *table, uint64_t *values)
{
	for (unsigned int i = 0; i < table->count; i++)
		if (pread(stats_fd, &values[i], sizeof(values[i]), (off_t)table->at[i]) != (ssize_t)sizeof(values[i]))
			values[i] = 0;
}
