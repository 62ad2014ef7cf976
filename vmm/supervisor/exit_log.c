// SPDX-License-Identifier: GPL-2.0-only
/* The books: each exit's record, read from a ring buffer and counted by reason. */
#include <string.h>

#include "base/util.h"
#include "vmm/supervisor/tracepoint.h"

#define RECORD_SANE 512 /* bytes */

static const struct exit_event_kind log_kind = {
	.attr = { .sample_period = 1, .sample_type = PERF_SAMPLE_RAW, .remove_on_exec = 1 },
	.pages = 128, /* some 7,000 exits */
	.quiet = true,
};

int exit_log_open(struct exit_log *log, pid_t tid, const struct vendor *vendor)
{
	int err;

	*log = (struct exit_log){ .vendor = vendor };
	err = exit_event_open(&log->event, &log_kind, tid, "");
	if (err)
		return err;
	err = record_layout_read(&log->layout);
	if (err)
		exit_event_close(&log->event);
	return err;
}

static size_t reason_place(const struct vendor *vendor, uint32_t number)
{
	const struct exit_reason *reason = reason_find(vendor, number);
	size_t place = reason ? (size_t)(reason - vendor->reasons) : REASONS_MAX;

	return MIN(place, (size_t)REASONS_MAX);
}

static void record_take(struct exit_log *log, const uint8_t *bytes, size_t size)
{
	const struct perf_event_header *head = (const struct perf_event_header *)bytes;
	struct reason_count *entry;
	struct exit_record record;
	uint64_t lost;

	if (head->type == PERF_RECORD_LOST && size >= sizeof(*head) + 2 * sizeof(lost)) {
		memcpy(&lost, bytes + sizeof(*head) + sizeof(lost), sizeof(lost)); /* after the event's id */
		log->lost += lost;
	}
	if (!record_decode(&log->layout, log_kind.attr.sample_type, bytes, size, &record))
		return;
	entry = &log->since_mark[reason_place(log->vendor, record.reason)];
	if (!entry->count++)
		entry->first_rip = record.rip;
}

void exit_log_read(struct exit_log *log)
{
	struct perf_event_mmap_page *page = log->event.ring;
	const uint8_t *data;
	uint64_t head, tail, mask;

	if (!page)
		return;
	data = (const uint8_t *)page + page->data_offset;
	mask = page->data_size - 1;
	head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	for (tail = page->data_tail; tail < head;) {
		_Alignas(8) uint8_t record[RECORD_SANE];
		uint16_t size;

		/* records are multiples of 8 bytes, so a header is never cut in two */
		memcpy(&size, data + (tail & mask) + offsetof(struct perf_event_header, size), sizeof(size));
		if (size < sizeof(struct perf_event_header) || size > sizeof(record))
			break;
		for (uint16_t i = 0; i < size; i++)
			record[i] = data[(tail + i) & mask];
		record_take(log, record, size);
		tail += size;
	}
	__atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
}

void exit_log_mark(struct exit_log *log)
{
	exit_log_read(log);
	for (size_t i = 0; i < ARRAY_SIZE(log->since_mark); i++) {
		log->before_mark[i] += log->since_mark[i].count;
		log->since_mark[i] = (struct reason_count){ 0 };
	}
}
