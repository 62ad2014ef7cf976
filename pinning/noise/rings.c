// SPDX-License-Identifier: GPL-2.0-only
/* Perf events on cores: one ring a core, with the records of all its events. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "pinning/noise/internal.h"
#include "pinning/pinning.h"

#define EVENTS	     "/sys/kernel/tracing/events/"
#define CORE_PAGES   256 /* of records: some 15,000 */
#define SENDER_PAGES 64
#define RECORD_MAX   4096
#define EVENTS_MAX   64
#define FILTER_MAX   1024

struct ring {
	unsigned int cpu;
	bool measured;
	struct core_state core;
	int fds[EVENTS_MAX];
	size_t nfds;
	struct perf_event_mmap_page *page;
	size_t size;
};

struct rings {
	struct event_layout layouts[EVENTS_MAX];
	size_t nlayouts;
	struct ring *rings;
	size_t count;
	pid_t sender;
	char comm[COMM_MAX + 1]; /* @sender's */
};

/*
 * Each event is a file. Rings never wake us: for that the kernel would interrupt the core itself
 * (kernel/events/ring_buffer.c, perf_output_wakeup()), so the mark is as far away as it goes.
 */
static int event_open(const struct event_layout *layout, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = layout->id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int ring_map(struct ring *ring)
{
	size_t pages = 1 + (ring->measured ? CORE_PAGES : SENDER_PAGES);
	void *page;

	ring->size = pages * (size_t)sysconf(_SC_PAGESIZE);
	page = mmap(NULL, ring->size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fds[0], 0);
	if (page == MAP_FAILED)
		return -errno;
	ring->page = page;
	return 0;
}

static int ring_add(struct ring *ring, const struct event_layout *layout)
{
	int fd = event_open(layout, ring->cpu), err = 0;

	if (fd < 0)
		return fd;
	ring->fds[ring->nfds++] = fd;
	if (ring->nfds == 1)
		return ring_map(ring);
	if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fds[0]))
		err = -errno;
	return err;
}

/* Senders say much that is none of our cores' business. What a kernel can't filter is sorted out when it is read. */
static void sender_filter(const struct ring *ring, const struct noise *noise, const struct event_kind *kind)
{
	char filter[FILTER_MAX];
	size_t used = 0;

	for (unsigned int i = 0; i < noise->ncores && used < sizeof(filter); i++) {
		const char *join = i ? " || " : "";

		if (kind->act == EVENT_SENT)
			used += (size_t)snprintf(filter + used, sizeof(filter) - used, "%scpu == %u", join,
						 noise->cores[i]);
		else
			used += (size_t)snprintf(filter + used, sizeof(filter) - used, "%scpumask & CPUS{%u}", join,
						 noise->cores[i]);
	}
	if (used < sizeof(filter))
		ioctl(ring->fds[ring->nfds - 1], PERF_EVENT_IOC_SET_FILTER, filter);
}

static bool is_sent(const struct event_kind *kind)
{
	return kind->act == EVENT_SENT || kind->act == EVENT_SENT_MANY;
}

static int ring_open(struct rings *rings, struct ring *ring, const struct noise *noise)
{
	int err = 0;

	for (size_t i = 0; !err && i < rings->nlayouts; i++) {
		const struct event_layout *layout = &rings->layouts[i];

		if (!ring->measured && !is_sent(layout->kind))
			continue;
		err = ring_add(ring, layout);
		if (!err && is_sent(layout->kind))
			sender_filter(ring, noise, layout->kind);
	}
	return err;
}

static void ring_close(struct ring *ring)
{
	if (ring->page)
		munmap(ring->page, ring->size);
	while (ring->nfds)
		close(ring->fds[--ring->nfds]);
}

/* Negative errno, not reported: the tracepoint isn't there, or not for this user. */
static int layout_read(const struct event_kind *kind, struct event_layout *layout)
{
	char path[128], *text = NULL;
	int err;

	snprintf(path, sizeof(path), EVENTS "%s/format", kind->path);
	if (access(path, R_OK))
		return -errno;
	if (kernel_text(path, &text))
		return -EIO;
	err = event_layout_parse(kind, text, layout);
	free(text);
	return err;
}

static int layouts_read(struct rings *rings, struct noise *noise)
{
	for (size_t i = 0; i < event_kinds_count && rings->nlayouts < EVENTS_MAX; i++) {
		const struct event_kind *kind = &event_kinds[i];
		int err = layout_read(kind, &rings->layouts[rings->nlayouts]);

		if (!err)
			rings->nlayouts++;
		else if (err == -EACCES || err == -EPERM)
			return err;
		else if (kind->loss && access("/sys/kernel/tracing/events", F_OK) == 0)
			noise_miss(noise, "%s: tracepoint %s: %s", kind->loss, kind->path,
				   err == -ENOENT ? "this kernel hasn't got it (or its module isn't loaded)"
						  : strerror(-err));
	}
	return rings->nlayouts ? 0 : -ENOENT;
}

/* Some 30 files a core. */
static void files_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int cpu_add(struct rings *rings, const struct noise *noise, unsigned int cpu)
{
	struct ring *ring;
	void *all = reallocarray(rings->rings, rings->count + 1, sizeof(*rings->rings));

	if (!all)
		return -ENOMEM;
	rings->rings = all;
	ring = &rings->rings[rings->count++];
	*ring = (struct ring){ .cpu = cpu };
	for (unsigned int i = 0; i < noise->ncores; i++) {
		if (noise->cores[i] != cpu)
			continue;
		ring->measured = true;
		ring->core.place = i;
	}
	return 0;
}

static int rings_cpus_add(struct rings *rings, const struct noise *noise)
{
	unsigned long first, last;
	const char *at;
	char *text;
	int err = kernel_text(CPU_ONLINE, &text);

	if (err)
		return err;
	for (at = text; !err && cpu_list_next(&at, &first, &last);)
		for (unsigned long cpu = first; !err && cpu <= last; cpu++)
			err = cpu_add(rings, noise, (unsigned int)cpu);
	free(text);
	return err;
}

static void rings_explain(struct noise *noise, int err)
{
	if (err == -EACCES || err == -EPERM)
		noise_miss(noise, "causes and durations: this user may not trace: be root, or have CAP_PERFMON (with "
				  "Debian's kernel.perf_event_paranoid=3, CAP_SYS_ADMIN) and tracefs to read");
	else if (err == -ENOENT)
		noise_miss(noise, "causes and durations: no tracefs on /sys/kernel/tracing: mount -t tracefs tracefs "
				  "/sys/kernel/tracing");
	else
		noise_miss(noise, "causes and durations: perf events: %s", strerror(-err));
}

struct rings *rings_open(struct noise *noise)
{
	struct rings *rings = calloc(1, sizeof(*rings));
	int err = rings ? layouts_read(rings, noise) : -ENOMEM;

	files_allow();
	if (!err)
		err = rings_cpus_add(rings, noise);
	for (size_t i = 0; !err && i < rings->count; i++)
		err = ring_open(rings, &rings->rings[i], noise);
	if (!err)
		return rings;
	rings_explain(noise, err);
	rings_close(rings);
	return NULL;
}

void rings_close(struct rings *rings)
{
	for (size_t i = 0; rings && i < rings->count; i++)
		ring_close(&rings->rings[i]);
	if (rings)
		free(rings->rings);
	free(rings);
}

/* Whose it was, unless the process has ended since. */
static const char *sender_comm(struct rings *rings, pid_t pid)
{
	char path[32];
	FILE *file;

	if (rings->comm[0] && rings->sender == pid)
		return rings->comm;
	rings->sender = pid;
	snprintf(rings->comm, sizeof(rings->comm), "%s", pid ? "ended since" : "idle");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = pid ? fopen(path, "re") : NULL;
	if (!file)
		return rings->comm;
	if (fgets(rings->comm, sizeof(rings->comm), file))
		rings->comm[strcspn(rings->comm, "\n")] = '\0';
	fclose(file);
	return rings->comm;
}

static int record_take(struct rings *rings, struct ring *ring, struct noise *noise, const struct noise_request *request,
		       const struct span *span, const uint8_t *bytes, size_t size)
{
	const struct perf_event_header *head = (const struct perf_event_header *)bytes;
	struct event event;
	uint64_t lost;

	if (head->type == PERF_RECORD_LOST && size >= sizeof(*head) + 2 * sizeof(lost)) {
		memcpy(&lost, bytes + sizeof(*head) + sizeof(lost), sizeof(lost)); /* after the event's id */
		noise->lost += lost;
	}
	if (!event_decode(rings->layouts, rings->nlayouts, bytes, size, &event))
		return 0;
	if (is_sent(event.kind))
		return sender_take(noise, span, &event, sender_comm(rings, event.pid));
	return core_take(noise, request->exit_name, span, &ring->core, &event);
}

static int ring_read(struct rings *rings, struct ring *ring, struct noise *noise, const struct noise_request *request,
		     const struct span *span)
{
	struct perf_event_mmap_page *page = ring->page;
	const uint8_t *data = (const uint8_t *)page + page->data_offset;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), mask = page->data_size - 1;
	int err = 0;

	for (uint64_t tail = page->data_tail; !err && tail < head;) {
		_Alignas(8) uint8_t record[RECORD_MAX];
		uint16_t size;

		/* records are multiples of 8 bytes, so a header is never cut in two */
		memcpy(&size, data + (tail & mask) + offsetof(struct perf_event_header, size), sizeof(size));
		if (size < sizeof(struct perf_event_header) || size > sizeof(record))
			break;
		for (uint16_t i = 0; i < size; i++)
			record[i] = data[(tail + i) & mask];
		err = record_take(rings, ring, noise, request, span, record, size);
		tail += size;
	}
	__atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
	return err;
}

int rings_read(struct rings *rings, struct noise *noise, const struct noise_request *request, const struct span *span)
{
	int err = 0;

	for (size_t i = 0; !err && i < rings->count; i++)
		if (rings->rings[i].page)
			err = ring_read(rings, &rings->rings[i], noise, request, span);
	return err;
}

int rings_finish(struct rings *rings, struct noise *noise, const struct span *span)
{
	int err = 0;

	for (size_t i = 0; !err && i < rings->count; i++)
		if (rings->rings[i].measured)
			err = core_finish(noise, span, &rings->rings[i].core);
	return err;
}
