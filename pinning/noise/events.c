// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints that are looked at, and how their records are read. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pinning/noise/internal.h"

#define VECTOR(event, name)                                                                                        \
	{ "irq_vectors/" event "_entry", EVENT_BEGIN, NOISE_VECTOR, name, { 0 }, "how long its interrupts took" }, \
	{                                                                                                          \
		"irq_vectors/" event "_exit", EVENT_END, NOISE_VECTOR, name                                        \
	}

/*
 * Vectors are named as in /proc/interrupts (arch/x86/kernel/irq.c, arch_show_interrupts()). Not irq_work: perf may not
 * sample its end (arch/x86/include/asm/trace/irq_vectors.h).
 */
const struct event_kind event_kinds[] = {
	VECTOR("local_timer", "LOC"),
	VECTOR("reschedule", "RES"),
	VECTOR("call_function", "CAL"),
	VECTOR("call_function_single", "CAL"),
	VECTOR("x86_platform_ipi", "PLT"),
	VECTOR("error_apic", "ERR"),
	VECTOR("spurious_apic", "SPU"),
	VECTOR("thermal_apic", "TRM"),
	VECTOR("threshold_apic", "THR"),
	VECTOR("deferred_error_apic", "DFR"),
	{ "nmi/nmi_handler", EVENT_POINT, NOISE_VECTOR, "NMI", { "delta_ns" }, "how long NMIs took" },
	{ "irq/irq_handler_entry", EVENT_BEGIN, NOISE_LINE, NULL, { "irq" }, "how long devices' interrupts took" },
	{ "irq/irq_handler_exit", EVENT_END, NOISE_LINE, NULL },
	{ "irq/softirq_entry", EVENT_BEGIN, NOISE_SOFTIRQ, NULL, { "vec" }, "how long softirqs took" },
	{ "irq/softirq_exit", EVENT_END, NOISE_SOFTIRQ, NULL },
	{ "sched/sched_switch",
	  EVENT_SWITCH,
	  NOISE_THREAD,
	  NULL,
	  { "prev_comm", "next_comm" },
	  "which threads ran there" },
	{ "kvm/kvm_exit", EVENT_BEGIN, NOISE_EXIT, NULL, { "exit_reason", "isa" }, "for how long a guest was stopped" },
	{ "kvm/kvm_entry", EVENT_END, NOISE_EXIT, NULL },
	{ "timer/hrtimer_expire_entry",
	  EVENT_BEGIN,
	  NOISE_HRTIMER,
	  NULL,
	  { "function" },
	  "what local timer interrupts were for" },
	{ "timer/hrtimer_expire_exit", EVENT_END, NOISE_HRTIMER, NULL },
	{ "timer/timer_expire_entry",
	  EVENT_BEGIN,
	  NOISE_TIMER,
	  NULL,
	  { "function" },
	  "what the softirq TIMER was for" },
	{ "timer/timer_expire_exit", EVENT_END, NOISE_TIMER, NULL },
	{ "csd/csd_function_entry", EVENT_BEGIN, NOISE_CALL, NULL, { "func" }, "which functions other cores called" },
	{ "csd/csd_function_exit", EVENT_END, NOISE_CALL, NULL },
	{ "workqueue/workqueue_execute_start", EVENT_BEGIN, NOISE_WORK, NULL, { "function" }, "what kworkers did" },
	{ "workqueue/workqueue_execute_end", EVENT_END, NOISE_WORK, NULL },
	{ "ipi/ipi_send_cpu",
	  EVENT_SENT,
	  NOISE_RESCHEDULE_SENDER,
	  NULL,
	  { "callsite", "callback", "cpu" },
	  "who sent interrupts from other cores" },
	{ "ipi/ipi_send_cpumask",
	  EVENT_SENT_MANY,
	  NOISE_RESCHEDULE_SENDER,
	  NULL,
	  { "callsite", "callback", "cpumask" },
	  NULL },
};
const size_t event_kinds_count = ARRAY_SIZE(event_kinds);

/* A line of it: "	field:__data_loc cpumask_t cpumask;	offset:8;	size:4;	signed:0;", or "char comm[16];"
 */
static int field_find(const char *text, const char *name, size_t *offset, size_t *size, bool *indirect)
{
	size_t len = strlen(name);

	for (const char *at = strstr(text, "field:"); at; at = strstr(at + 1, "field:")) {
		const char *end = strchr(at, ';'), *word = end ? memrchr(at, ' ', (size_t)(end - at)) : NULL;

		if (!word || strncmp(word + 1, name, len) != 0 || (word[1 + len] != ';' && word[1 + len] != '['))
			continue;
		*indirect = strncmp(at, "field:__data_loc", strlen("field:__data_loc")) == 0;
		return sscanf(end, "; offset:%zu; size:%zu;", offset, size) == 2 ? 0 : -ENOENT;
	}
	return -ENOENT;
}

int event_layout_parse(const struct event_kind *kind, const char *text, struct event_layout *layout)
{
	const char *id = strstr(text, "ID:");
	int err = id ? 0 : -ENOENT;

	*layout = (struct event_layout){ .kind = kind, .id = id ? strtoull(id + strlen("ID:"), NULL, 10) : 0 };
	for (size_t i = 0; !err && i < EVENT_VALUES && kind->fields[i]; i++)
		err = field_find(text, kind->fields[i], &layout->fields[i].offset, &layout->fields[i].size,
				 &layout->fields[i].indirect);
	return err;
}

static bool field_take(const struct event_layout *layout, size_t i, const uint8_t *raw, size_t len, struct event *event)
{
	size_t offset = layout->fields[i].offset, size = layout->fields[i].size;

	if (layout->fields[i].indirect) {
		uint32_t place;

		if (!range_fits(offset, sizeof(place), len))
			return false;
		memcpy(&place, raw + offset, sizeof(place));
		offset = place & 0xffff;
		size = place >> 16;
	}
	if (!range_fits(offset, size, len))
		return false;
	event->bytes[i] = raw + offset;
	event->sizes[i] = size;
	memcpy(&event->values[i], raw + offset, MIN(size, sizeof(event->values[i])));
	return true;
}

static bool raw_decode(const struct event_layout *layouts, size_t count, const uint8_t *raw, size_t len,
		       struct event *event)
{
	uint16_t type; /* common_type, the first field of each */

	if (len < sizeof(type))
		return false;
	memcpy(&type, raw, sizeof(type));
	for (size_t i = 0; i < count; i++) {
		if (layouts[i].id != type)
			continue;
		event->kind = layouts[i].kind;
		for (size_t field = 0; field < EVENT_VALUES && event->kind->fields[field]; field++)
			if (!field_take(&layouts[i], field, raw, len, event))
				return false;
		return true;
	}
	return false;
}

bool event_decode(const struct event_layout *layouts, size_t count, const uint8_t *bytes, size_t size,
		  struct event *event)
{
	/* perf_event_open(2), PERF_RECORD_SAMPLE, in this order */
	struct {
		struct perf_event_header header;
		uint32_t pid, tid;
		uint64_t time;
		uint32_t len;
	} __attribute__((packed)) head;

	*event = (struct event){ 0 };
	if (size < sizeof(head))
		return false;
	memcpy(&head, bytes, sizeof(head));
	if (head.header.type != PERF_RECORD_SAMPLE || !range_fits(sizeof(head), head.len, size))
		return false;
	event->at = (int64_t)head.time;
	event->pid = (pid_t)head.pid;
	return raw_decode(layouts, count, bytes + sizeof(head), head.len, event);
}
