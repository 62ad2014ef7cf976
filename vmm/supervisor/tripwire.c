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

#include "base/log.h"
#include "vmm/supervisor/tracepoint.h"

static const struct exit_event_kind tripwire_kind = {
	.attr = {
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED, /* for tripwires_armed */
		.wakeup_events = 1,			       /* poll says so at the first record */
		.disabled = 1,
		.sigtrap = 1,
		.remove_on_exec = 1,
	},
	.pages = 2, /* one record matters, the first */
};

int tripwire_open(struct exit_event *tripwire, pid_t tid, const char *filter)
{
	return exit_event_open(tripwire, &tripwire_kind, tid, filter);
}

int tripwire_arm(const struct exit_event *tripwire)
{
	if (ioctl(tripwire->fd, PERF_EVENT_IOC_ENABLE, 0))
		return fail(-errno, "tripwire: arm it: %s", strerror(errno));
	return 0;
}

/* The ring is never consumed, so the first record stays the first. Its owner is dead or about to be. */
bool tripwire_read(const struct exit_event *tripwire, struct exit_record *record)
{
	const struct perf_event_mmap_page *page = tripwire->ring;
	struct record_layout layout;

	if (!page || !__atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE))
		return false;
	return !record_layout_read(&layout) &&
	       record_decode(&layout, tripwire_kind.attr.sample_type, (const uint8_t *)page + page->data_offset,
			     page->data_size, record);
}

int tripwire_probe(void)
{
	struct exit_event event;
	int err = tripwire_open(&event, 0, "");

	if (!err)
		exit_event_close(&event);
	return err;
}
