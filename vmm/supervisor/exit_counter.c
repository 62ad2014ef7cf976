// SPDX-License-Identifier: GPL-2.0-only
/*
 * A count that can be looked at without disturbing the vCPU: each exit writes a record of nothing but its header into a
 * ring that the kernel may overwrite (it is mapped read-only), so that its head, which never goes back, counts them.
 */
#include "vmm/supervisor/tracepoint.h"

/* wakes nobody before a page is full */
static const struct exit_event_kind counter_kind = {
	.attr = { .sample_period = 1, .remove_on_exec = 1 },
	.pages = 1,
	.overwrite = true,
};

int exit_counter_open(struct exit_event *counter, pid_t tid, const char *filter)
{
	return exit_event_open(counter, &counter_kind, tid, filter);
}

uint64_t exit_counter_read(const struct exit_event *counter)
{
	const struct perf_event_mmap_page *page = counter->ring;

	return page ? __atomic_load_n(&page->data_head, __ATOMIC_RELAXED) / sizeof(struct perf_event_header) : 0;
}
