// SPDX-License-Identifier: GPL-2.0-only
/*
 * A count that can be looked at without disturbing the vCPU: each exit writes a record of nothing but its header into a
 * ring that the kernel may overwrite (it is mapped read-only), so that its head, which never goes back, counts them.
 */
#include <errno.h>

#include "base/fd.h"
#include "vmm/supervisor/tracepoint.h"

#define RING_PAGES 1

int exit_counter_open(struct exit_counter *counter, pid_t tid, const char *filter)
{
	/* wakes nobody before a page is full */
	struct perf_event_attr attr = { .sample_period = 1, .remove_on_exec = 1 };

	counter->fd = tracepoint_open(&attr, tid, filter, false);
	if (counter->fd < 0)
		return counter->fd;
	counter->ring = ring_map(counter->fd, RING_PAGES, false);
	if (counter->ring)
		return 0;
	exit_counter_close(counter);
	return -ENOMEM;
}

uint64_t exit_counter_read(const struct exit_counter *counter)
{
	const struct perf_event_mmap_page *page = counter->ring;

	return page ? __atomic_load_n(&page->data_head, __ATOMIC_RELAXED) / sizeof(struct perf_event_header) : 0;
}

void exit_counter_close(struct exit_counter *counter)
{
	ring_unmap(counter->ring, RING_PAGES);
	counter->ring = NULL;
	fd_close(&counter->fd);
}
