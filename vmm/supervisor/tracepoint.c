// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/tracepoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"

#define EVENT_FOLDER "/sys/kernel/tracing/events/kvm/kvm_exit/"

static bool is_denial(int err)
{
	return err == -EACCES || err == -EPERM;
}

static int tracepoint_id(uint64_t *id, bool quiet)
{
	unsigned long long value;
	FILE *file = fopen(EVENT_FOLDER "id", "re");
	int err = file ? 0 : -errno, found;

	if (!file && quiet && is_denial(err))
		return -EACCES;
	if (!file)
		return fail(err,
			    EVENT_FOLDER "id: %s: the tripwire needs the tracepoint: root, and tracefs mounted on "
					 "/sys/kernel/tracing",
			    strerror(-err));
	found = fscanf(file, "%llu", &value);
	fclose(file);
	if (found != 1)
		return fail(-EPROTO, EVENT_FOLDER "id: no number in it");
	*id = value;
	return 0;
}

static int event_make(const struct exit_event_kind *kind, pid_t tid, const char *filter)
{
	struct perf_event_attr attr = kind->attr;
	int fd, err = tracepoint_id((uint64_t *)&attr.config, kind->quiet);

	if (err)
		return err;
	attr.type = PERF_TYPE_TRACEPOINT;
	attr.size = sizeof(attr);
	fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	err = -errno;
	if (fd < 0 && kind->quiet && (is_denial(err) || err == -ESRCH))
		return err == -ESRCH ? err : -EACCES;
	if (fd < 0)
		return fail(err,
			    "tripwire on thread %d: %s: it needs CAP_PERFMON (with Debian's "
			    "kernel.perf_event_paranoid=3, CAP_SYS_ADMIN)",
			    (int)tid, strerror(-err));
	if (*filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter)) {
		err = fail(-errno, "tripwire: filter \"%s\": %s", filter, strerror(errno));
		close(fd);
		return err;
	}
	return fd;
}

static size_t ring_size(unsigned int pages)
{
	return (1 + (size_t)pages) * (size_t)sysconf(_SC_PAGESIZE);
}

/* A ring that is mapped read-only is one that the kernel may overwrite. */
int exit_event_open(struct exit_event *event, const struct exit_event_kind *kind, pid_t tid, const char *filter)
{
	int protection = kind->overwrite ? PROT_READ : PROT_READ | PROT_WRITE, err;
	void *ring;

	*event = (struct exit_event){ .fd = event_make(kind, tid, filter), .pages = kind->pages };
	if (event->fd < 0)
		return event->fd;
	ring = mmap(NULL, ring_size(event->pages), protection, MAP_SHARED, event->fd, 0);
	if (ring == MAP_FAILED) {
		err = fail(-errno, "a perf event's ring buffer of %u pages: %s", event->pages, strerror(errno));
		exit_event_close(event);
		return err;
	}
	event->ring = ring;
	return 0;
}

void exit_event_close(struct exit_event *event)
{
	if (event->ring)
		munmap(event->ring, ring_size(event->pages));
	event->ring = NULL;
	fd_close(&event->fd);
}

/* A line of it: "	field:unsigned long guest_rip;	offset:16;	size:8;	signed:0;". */
static int field_find(FILE *file, const char *name, size_t *offset, size_t *size)
{
	char line[256], wanted[64];

	snprintf(wanted, sizeof(wanted), " %s;", name);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		const char *field = strstr(line, wanted);

		if (field && sscanf(field + strlen(wanted), " offset:%zu; size:%zu;", offset, size) == 2 &&
		    *size <= sizeof(uint64_t))
			return 0;
	}
	return fail(-ENOENT, EVENT_FOLDER "format: no field %s: a kernel that this wasn't made for", name);
}

int record_layout_read(struct record_layout *layout)
{
	static const char *const names[] = { "exit_reason", "guest_rip", "info1", "info2" };
	FILE *file = fopen(EVENT_FOLDER "format", "re");
	int err = 0;

	if (!file)
		return fail(-errno, EVENT_FOLDER "format: %s", strerror(errno));
	for (size_t i = 0; !err && i < ARRAY_SIZE(names); i++)
		err = field_find(file, names[i], &layout->fields[i].offset, &layout->fields[i].size);
	fclose(file);
	return err;
}

static bool raw_decode(const struct record_layout *layout, const uint8_t *raw, size_t len, struct exit_record *record)
{
	uint64_t values[ARRAY_SIZE(layout->fields)] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (!range_fits(layout->fields[i].offset, layout->fields[i].size, len))
			return false;
		memcpy(&values[i], raw + layout->fields[i].offset, layout->fields[i].size);
	}
	record->reason = (uint32_t)values[0];
	record->rip = values[1];
	record->info1 = values[2];
	record->info2 = values[3];
	return true;
}

/* perf_event_open(2), PERF_RECORD_SAMPLE: the time, then the raw data's length and itself. */
bool record_decode(const struct record_layout *layout, uint64_t sample_type, const uint8_t *bytes, size_t size,
		   struct exit_record *record)
{
	size_t at = sizeof(struct perf_event_header), time = sample_type & PERF_SAMPLE_TIME ? sizeof(record->at) : 0;
	struct perf_event_header head;
	uint32_t len;

	*record = (struct exit_record){ 0 };
	if (!range_fits(at, time + sizeof(len), size))
		return false;
	memcpy(&head, bytes, sizeof(head));
	memcpy(&record->at, bytes + at, time);
	at += time;
	memcpy(&len, bytes + at, sizeof(len));
	at += sizeof(len);
	return head.type == PERF_RECORD_SAMPLE && range_fits(at, len, size) &&
	       raw_decode(layout, bytes + at, len, record);
}
