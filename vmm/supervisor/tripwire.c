// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tripwire: perf_event_open(2) on the tracepoint kvm:kvm_exit, for one vCPU thread, with sigtrap. The kernel sends
 * SIGTRAP to the thread at the first exit that the filter matches, before the guest runs another instruction; its
 * default action ends the process (kernel/events/core.c: perf_sigtrap(); arch/x86/kvm: xfer_to_guest_mode work).
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/seal.h"

#define EVENT_FOLDER "/sys/kernel/tracing/events/kvm/kvm_exit/"
#define RING_PAGES   2 /* of records: one matters, the first */
#define RING_SIZE(n) ((size_t)(1 + (n)) * (size_t)sysconf(_SC_PAGESIZE))

static int tracepoint_id(uint64_t *id)
{
	unsigned long long value;
	FILE *file = fopen(EVENT_FOLDER "id", "re");
	int found;

	if (!file)
		return fail(-errno,
			    EVENT_FOLDER "id: %s: the tripwire needs the tracepoint: root, and tracefs mounted on "
					 "/sys/kernel/tracing",
			    strerror(errno));
	found = fscanf(file, "%llu", &value);
	fclose(file);
	if (found != 1)
		return fail(-EPROTO, EVENT_FOLDER "id: no number in it");
	*id = value;
	return 0;
}

/* A perf event on the tracepoint for thread @tid, of the exits that @filter matches ("" for any). */
static int event_open(struct perf_event_attr *attr, pid_t tid, const char *filter)
{
	int fd, err = tracepoint_id((uint64_t *)&attr->config);

	if (err)
		return err;
	attr->type = PERF_TYPE_TRACEPOINT;
	attr->size = sizeof(*attr);
	fd = (int)syscall(SYS_perf_event_open, attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return fail(-errno,
			    "tripwire on thread %d: %s: it needs CAP_PERFMON (with Debian's "
			    "kernel.perf_event_paranoid=3, CAP_SYS_ADMIN)",
			    (int)tid, strerror(errno));
	if (*filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter)) {
		err = fail(-errno, "tripwire: filter \"%s\": %s", filter, strerror(errno));
		close(fd);
		return err;
	}
	return fd;
}

int tripwire_open(struct tripwire *tripwire, pid_t tid, const char *filter)
{
	struct perf_event_attr attr = {
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.wakeup_events = 1, /* poll says so at the first record */
		.disabled = 1,
		.sigtrap = 1,
		.remove_on_exec = 1,
	};
	int fd = event_open(&attr, tid, filter), err;
	void *ring;

	if (fd < 0)
		return fd;
	ring = mmap(NULL, RING_SIZE(RING_PAGES), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED) {
		err = fail(-errno, "tripwire: its ring buffer: %s", strerror(errno));
		close(fd);
		return err;
	}
	*tripwire = (struct tripwire){ .fd = fd, .ring = ring };
	return 0;
}

int exit_counter_open(pid_t tid, const char *filter)
{
	struct perf_event_attr attr = { 0 };

	return event_open(&attr, tid, filter);
}

int tripwire_arm(const struct tripwire *tripwire)
{
	if (ioctl(tripwire->fd, PERF_EVENT_IOC_ENABLE, 0))
		return fail(-errno, "tripwire: arm it: %s", strerror(errno));
	return 0;
}

void tripwire_close(struct tripwire *tripwire)
{
	if (tripwire->ring)
		munmap(tripwire->ring, RING_SIZE(RING_PAGES));
	tripwire->ring = NULL;
	fd_close(&tripwire->fd);
}

/* Where a field of the record lies, from the tracepoint's own description. */
static int field_find(const char *name, size_t *offset, size_t *size)
{
	char line[256], wanted[64];
	FILE *file = fopen(EVENT_FOLDER "format", "re");
	int err = -ENOENT;

	if (!file)
		return -errno;
	snprintf(wanted, sizeof(wanted), " %s;", name);
	while (err && fgets(line, sizeof(line), file)) {
		const char *field = strstr(line, wanted);

		if (field && sscanf(field + strlen(wanted), " offset:%zu; size:%zu;", offset, size) == 2)
			err = 0;
	}
	fclose(file);
	return err;
}

static uint64_t field_read(const uint8_t *raw, size_t len, const char *name)
{
	size_t offset, size;
	uint64_t value = 0;

	if (field_find(name, &offset, &size) || size > sizeof(value) || !range_fits(offset, size, len))
		return 0;
	memcpy(&value, raw + offset, size);
	return value;
}

/* The ring is never consumed, so the first record stays the first. Its owner is dead or about to be. */
bool tripwire_read(const struct tripwire *tripwire, struct violation *violation)
{
	const struct perf_event_mmap_page *page = tripwire->ring;
	const uint8_t *data;
	struct perf_event_header head;
	uint32_t len;

	if (!page || __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE) < sizeof(head) + sizeof(len))
		return false;
	data = (const uint8_t *)tripwire->ring + page->data_offset;
	memcpy(&head, data, sizeof(head));
	memcpy(&len, data + sizeof(head), sizeof(len));
	if (head.type != PERF_RECORD_SAMPLE || !range_fits(sizeof(head) + sizeof(len), len, page->data_size))
		return false;
	data += sizeof(head) + sizeof(len);
	violation->found = true;
	violation->from_tracepoint = true;
	violation->reason = (uint32_t)field_read(data, len, "exit_reason");
	violation->rip = field_read(data, len, "guest_rip");
	violation->info1 = field_read(data, len, "info1");
	violation->info2 = field_read(data, len, "info2");
	return true;
}
