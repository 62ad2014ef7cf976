// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tripwire: perf_event_open(2) on the tracepoint kvm:kvm_exit, for one vCPU thread, with sigtrap. The kernel sends
 * SIGTRAP to the thread at the first exit that the filter matches, before the guest runs another instruction; its
 * default action ends the process (kernel/events/core.c: perf_sigtrap(); arch/x86/kvm: xfer_to_guest_mode work).
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/tracepoint.h"

#define RING_PAGES 2 /* of records: one matters, the first */

static const struct perf_event_attr tripwire_attr = {
	.sample_period = 1,
	.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
	.use_clockid = 1,
	.clockid = CLOCK_MONOTONIC,
	.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED, /* for tripwires_armed */
	.wakeup_events = 1,			       /* poll says so at the first record */
	.disabled = 1,
	.sigtrap = 1,
	.remove_on_exec = 1,
};

int tripwire_open(struct tripwire *tripwire, pid_t tid, const char *filter)
{
	struct perf_event_attr attr = tripwire_attr;

	tripwire->fd = tracepoint_open(&attr, tid, filter, false);
	if (tripwire->fd < 0)
		return tripwire->fd;
	tripwire->ring = ring_map(tripwire->fd, RING_PAGES, true);
	if (tripwire->ring)
		return 0;
	tripwire_close(tripwire);
	return -ENOMEM;
}

int tripwire_arm(const struct tripwire *tripwire)
{
	if (ioctl(tripwire->fd, PERF_EVENT_IOC_ENABLE, 0))
		return fail(-errno, "tripwire: arm it: %s", strerror(errno));
	return 0;
}

void tripwire_close(struct tripwire *tripwire)
{
	ring_unmap(tripwire->ring, RING_PAGES);
	tripwire->ring = NULL;
	fd_close(&tripwire->fd);
}

/* The ring is never consumed, so the first record stays the first. Its owner is dead or about to be. */
bool tripwire_read(const struct tripwire *tripwire, struct exit_record *record)
{
	const struct perf_event_mmap_page *page = tripwire->ring;
	struct record_layout layout;
	struct perf_event_header head;
	const uint8_t *data;
	uint64_t at;
	uint32_t len;

	if (!page || __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE) < sizeof(head) + sizeof(at) + sizeof(len))
		return false;
	data = (const uint8_t *)tripwire->ring + page->data_offset;
	memcpy(&head, data, sizeof(head));
	memcpy(&at, data + sizeof(head), sizeof(at));
	memcpy(&len, data + sizeof(head) + sizeof(at), sizeof(len));
	if (head.type != PERF_RECORD_SAMPLE ||
	    !range_fits(sizeof(head) + sizeof(at) + sizeof(len), len, page->data_size))
		return false;
	data += sizeof(head) + sizeof(at) + sizeof(len);
	if (record_layout_read(&layout) || !record_decode(&layout, data, len, record))
		return false;
	record->at = (int64_t)at;
	return true;
}

int tripwire_probe(void)
{
	struct perf_event_attr attr = tripwire_attr;
	int fd = tracepoint_open(&attr, 0, "", false);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}
