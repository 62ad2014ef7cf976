// SPDX-License-Identifier: GPL-2.0-only
/* What interrupted cores: the kernel's tables of counters, tracepoints' records, and what is made of them. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pinning/noise/internal.h"

static const unsigned int cores[] = { 1, 3 };
static struct noise noise;

static void begin(void)
{
	ck_assert_int_eq(noise_make(&noise, cores, ARRAY_SIZE(cores)), 0);
}

static void end(void)
{
	noise_free(&noise);
}

static const struct noise_source *found(enum noise_kind kind, const char *name)
{
	for (size_t i = 0; i < noise.nsources; i++)
		if (noise.sources[i].kind == kind && strcmp(noise.sources[i].name, name) == 0)
			return &noise.sources[i];
	ck_abort_msg("no source %s %s", noise_kind_name(kind), name);
	return NULL;
}

/* --- counters --- */

/* Core 2 is offline, ERR counts for the whole machine. */
#define TABLE(timer, loc1, loc3, tlb)                                                             \
	"           CPU0       CPU1       CPU3       \n"                                          \
	"  0:        173          0          " timer "  IR-IO-APIC   2-edge      timer\n"         \
	" 24:          1          2          3  IR-PCI-MSIX-0000:02:00.0   0-edge      nvme0q0\n" \
	"LOC:       6837        " loc1 "        " loc3 "   Local timer interrupts\n"              \
	"TLB:         13          0          " tlb "   TLB shootdowns\n"                          \
	"ERR:          7\n"

static void parse(const char *text, struct counter_table *table)
{
	ck_assert_int_eq(counters_parse(text, cores, ARRAY_SIZE(cores), table), 0);
}

START_TEST(counters_are_read)
{
	struct counter_table table;

	parse(TABLE("5", "585", "446", "2"), &table);
	ck_assert_uint_eq(table.count, 4);
	ck_assert_str_eq(table.rows[0].name, "0");
	ck_assert_str_eq(table.rows[0].what, "timer");
	ck_assert_uint_eq(table.rows[0].counts[0], 0);
	ck_assert_uint_eq(table.rows[0].counts[1], 5);
	ck_assert_str_eq(table.rows[1].what, "nvme0q0");
	ck_assert_str_eq(table.rows[2].name, "LOC");
	ck_assert_str_eq(table.rows[2].what, "Local timer interrupts");
	ck_assert_uint_eq(table.rows[2].counts[0], 585);
	ck_assert_uint_eq(table.rows[2].counts[1], 446);
	counters_free(&table);
}
END_TEST

START_TEST(counters_of_other_cores_are_refused)
{
	static const unsigned int offline[] = { 1, 2 };
	struct counter_table table;

	ck_assert_int_eq(counters_parse(TABLE("0", "0", "0", "0"), offline, 2, &table), -EPROTO);
	ck_assert_int_eq(counters_parse("", cores, 2, &table), -EPROTO);
	ck_assert_int_eq(counters_parse("CPU1 CPU3", cores, 2, &table), -EPROTO);
}
END_TEST

START_TEST(counters_are_compared)
{
	struct counter_table before, after;

	parse(TABLE("5", "585", "446", "2"), &before);
	parse(TABLE("5", "600", "446", "3") "PIW: 0 1 0   Posted-interrupt wakeup event\n", &after);
	ck_assert_int_eq(counters_compare(&noise, &before, &after, false), 0);
	noise_finish(&noise);
	ck_assert_uint_eq(noise.nsources, 3);
	ck_assert_uint_eq(found(NOISE_VECTOR, "LOC")->counts[0].count, 15);
	ck_assert_uint_eq(found(NOISE_VECTOR, "LOC")->counts[1].count, 0);
	ck_assert_int_eq(found(NOISE_VECTOR, "LOC")->counts[0].longest_ns, -1);
	/* part of the calls, no interrupt of its own */
	ck_assert_uint_eq(found(NOISE_CALL, "TLB")->counts[1].count, 1);
	/* a row that is new began at 0 */
	ck_assert_uint_eq(found(NOISE_VECTOR, "PIW")->counts[0].count, 1);
	ck_assert_ptr_eq(found(NOISE_VECTOR, "LOC"), &noise.sources[0]);
	counters_free(&before);
	counters_free(&after);
}
END_TEST

/* --- records --- */

static const struct event_kind *kind_of(const char *path)
{
	for (size_t i = 0; i < event_kinds_count; i++)
		if (strcmp(event_kinds[i].path, path) == 0)
			return &event_kinds[i];
	ck_abort_msg("no tracepoint %s", path);
	return NULL;
}

#define SENT_MANY                                                                \
	"name: ipi_send_cpumask\nID: 287\nformat:\n"                             \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n" \
	"\tfield:__data_loc cpumask_t cpumask;\toffset:8;\tsize:4;\tsigned:0;\n" \
	"\tfield:void * callsite;\toffset:16;\tsize:8;\tsigned:0;\n"             \
	"\tfield:void * callback;\toffset:24;\tsize:8;\tsigned:0;\n\nprint fmt: \"cpumask\"\n"

START_TEST(layouts_are_read)
{
	struct event_layout layout;

	ck_assert_int_eq(event_layout_parse(kind_of("ipi/ipi_send_cpumask"), SENT_MANY, &layout), 0);
	ck_assert_uint_eq(layout.id, 287);
	ck_assert_uint_eq(layout.fields[0].offset, 16);
	ck_assert(!layout.fields[0].indirect);
	ck_assert_uint_eq(layout.fields[2].offset, 8);
	ck_assert(layout.fields[2].indirect);
	ck_assert_int_eq(event_layout_parse(kind_of("irq/softirq_entry"), SENT_MANY, &layout), -ENOENT);
	ck_assert_int_eq(event_layout_parse(kind_of("irq/softirq_exit"), "name: x\n", &layout), -ENOENT);
}
END_TEST

struct sample {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t time;
	uint32_t len;
	uint8_t raw[44];
} __attribute__((packed));

static struct sample sample_make(void)
{
	struct sample sample = { .header = { .type = PERF_RECORD_SAMPLE, .size = sizeof(sample) },
				 .pid = 7,
				 .time = 1234,
				 .len = sizeof(sample.raw) };
	uint16_t type = 287;
	uint32_t mask = 1 << 16 | 32;
	uint64_t callsite = 0xffff0001, callback = 0xffff0002;

	memcpy(sample.raw, &type, sizeof(type));
	memcpy(sample.raw + 8, &mask, sizeof(mask));
	memcpy(sample.raw + 16, &callsite, sizeof(callsite));
	memcpy(sample.raw + 24, &callback, sizeof(callback));
	sample.raw[32] = 1 << 3; /* core 3 */
	return sample;
}

START_TEST(records_are_decoded)
{
	const struct span span = { 1000, 2000 };
	struct sample sample = sample_make();
	struct event_layout layout;
	struct event event;

	event_layout_parse(kind_of("ipi/ipi_send_cpumask"), SENT_MANY, &layout);
	ck_assert(event_decode(&layout, 1, (uint8_t *)&sample, sizeof(sample), &event));
	ck_assert_int_eq(event.at, 1234);
	ck_assert_int_eq(event.pid, 7);
	ck_assert_uint_eq(event.values[0], 0xffff0001);
	ck_assert_int_eq(sender_take(&noise, &span, &event, "cat"), 0);
	ck_assert_uint_eq(noise.nsources, 1);
	ck_assert_int_eq(noise.sources[0].kind, NOISE_CALL_SENDER);
	ck_assert_uint_eq(noise.sources[0].counts[0].count, 0);
	ck_assert_uint_eq(noise.sources[0].counts[1].count, 1);
}
END_TEST

START_TEST(what_is_sent_elsewhere_is_no_noise)
{
	const struct span span = { 1000, 2000 };
	struct event event = { .kind = kind_of("ipi/ipi_send_cpu"), .at = 1500, .values = { 1, 0, 2 } };

	ck_assert_int_eq(sender_take(&noise, &span, &event, "cat"), 0);
	ck_assert_uint_eq(noise.nsources, 0);
	event.values[2] = 3;
	ck_assert_int_eq(sender_take(&noise, &span, &event, "cat"), 0);
	ck_assert_uint_eq(noise.nsources, 1);
	ck_assert_int_eq(noise.sources[0].kind, NOISE_RESCHEDULE_SENDER);
	ck_assert_uint_eq(noise.sources[0].counts[0].count, 0);
	ck_assert_uint_eq(noise.sources[0].counts[1].count, 1);
	event.at = 2000;
	ck_assert_int_eq(sender_take(&noise, &span, &event, "cat"), 0);
	ck_assert_uint_eq(noise.sources[0].counts[1].count, 1);
}
END_TEST

START_TEST(bad_records_are_none)
{
	struct sample sample = sample_make();
	struct event_layout layout;
	struct event event;
	uint32_t far = 8 << 16 | 40;

	event_layout_parse(kind_of("ipi/ipi_send_cpumask"), SENT_MANY, &layout);
	for (size_t size = 0; size < sizeof(sample); size++)
		ck_assert(!event_decode(&layout, 1, (uint8_t *)&sample, size, &event));
	for (sample.len = 0; sample.len < 33; sample.len++)
		ck_assert(!event_decode(&layout, 1, (uint8_t *)&sample, sizeof(sample), &event));
	sample.len = sizeof(sample.raw);
	memcpy(sample.raw + 8, &far, sizeof(far));
	ck_assert(!event_decode(&layout, 1, (uint8_t *)&sample, sizeof(sample), &event));
	sample = sample_make();
	sample.raw[0]++; /* another tracepoint */
	ck_assert(!event_decode(&layout, 1, (uint8_t *)&sample, sizeof(sample), &event));
	sample = sample_make();
	sample.header.type = PERF_RECORD_LOST;
	ck_assert(!event_decode(&layout, 1, (uint8_t *)&sample, sizeof(sample), &event));
}
END_TEST

/* --- what happened on a core --- */

static const struct span span = { 1000, 2000 };
static struct core_state core1, core3 = { .place = 1 };

static const char *exit_name(uint32_t isa, uint32_t reason, bool *host)
{
	ck_assert_uint_eq(isa, 2);
	*host = reason == 0x60;
	return *host ? "INTR" : "CPUID";
}

static void take(struct core_state *core, const char *path, int64_t at, uint64_t first, uint64_t second)
{
	struct event event = { .kind = kind_of(path), .at = at, .values = { first, second } };

	ck_assert_int_eq(core_take(&noise, exit_name, &span, core, &event), 0);
}

static void switch_to(struct core_state *core, int64_t at, const char *from, const char *to)
{
	struct event event = { .kind = kind_of("sched/sched_switch"),
			       .at = at,
			       .bytes = { (const uint8_t *)from, (const uint8_t *)to },
			       .sizes = { strlen(from) + 1, strlen(to) + 1 } };

	ck_assert_int_eq(core_take(&noise, exit_name, &span, core, &event), 0);
}

START_TEST(interruptions_have_durations)
{
	take(&core1, "kvm/kvm_exit", 1100, 0x60, 2);
	take(&core1, "irq_vectors/local_timer_entry", 1110, 0, 0);
	take(&core1, "timer/hrtimer_expire_entry", 1120, 0xabc, 0);
	take(&core1, "timer/hrtimer_expire_exit", 1125, 0, 0);
	take(&core1, "irq_vectors/local_timer_exit", 1130, 0, 0);
	take(&core1, "kvm/kvm_entry", 1150, 0, 0);
	take(&core1, "kvm/kvm_exit", 1200, 0x72, 2);
	take(&core1, "kvm/kvm_entry", 1201, 0, 0);
	ck_assert_int_eq(found(NOISE_EXIT, "INTR")->counts[0].longest_ns, 50);
	ck_assert_int_eq(found(NOISE_VECTOR, "LOC")->counts[0].longest_ns, 20);
	ck_assert_int_eq(found(NOISE_HRTIMER, "")->counts[0].longest_ns, 5);
	ck_assert_uint_eq(found(NOISE_HRTIMER, "")->address, 0xabc);
	ck_assert_uint_eq(found(NOISE_GUEST_EXIT, "CPUID")->counts[0].count, 1);
	ck_assert_uint_eq(found(NOISE_GUEST_EXIT, "CPUID")->counts[1].count, 0);
}
END_TEST

START_TEST(longest_and_total)
{
	for (int64_t i = 1; i <= 3; i++) {
		take(&core3, "irq/softirq_entry", 1000 + i * 100, 9, 0);
		take(&core3, "irq/softirq_exit", 1000 + i * 100 + (i == 2 ? 30 : 10), 9, 0);
	}
	ck_assert_uint_eq(found(NOISE_SOFTIRQ, "RCU")->counts[1].count, 3);
	ck_assert_int_eq(found(NOISE_SOFTIRQ, "RCU")->counts[1].longest_ns, 30);
	ck_assert_int_eq(found(NOISE_SOFTIRQ, "RCU")->counts[1].total_ns, 50);
}
END_TEST

START_TEST(outside_of_the_span_nothing_counts)
{
	take(&core1, "irq_vectors/reschedule_entry", 999, 0, 0);
	take(&core1, "irq_vectors/reschedule_exit", 1010, 0, 0);
	take(&core1, "irq_vectors/reschedule_entry", 2000, 0, 0);
	take(&core1, "irq_vectors/reschedule_exit", 2001, 0, 0);
	take(&core1, "nmi/nmi_handler", 999, 5, 0);
	ck_assert_uint_eq(noise.nsources, 0);
}
END_TEST

START_TEST(lost_records_break_nothing)
{
	take(&core1, "irq_vectors/reschedule_exit", 1000, 0, 0);
	for (int i = 0; i < 3 * OPEN_MAX; i++)
		take(&core1, "irq_vectors/reschedule_entry", 1100 + i, 0, 0);
	take(&core1, "irq_vectors/local_timer_exit", 1200, 0, 0);
	ck_assert_uint_eq(noise.nsources, 0);
	take(&core1, "irq_vectors/reschedule_exit", 1200, 0, 0);
	ck_assert_int_eq(found(NOISE_VECTOR, "RES")->counts[0].longest_ns, 1200 - 1100 - 3 * OPEN_MAX + 1);
}
END_TEST

START_TEST(threads_and_owners)
{
	switch_to(&core1, 1500, "vcpu", "kworker/1:2H");
	switch_to(&core1, 1510, "kworker/1:2H", "vcpu");
	switch_to(&core1, 1600, "vcpu", "kworker/1:0");
	switch_to(&core1, 1605, "kworker/1:0", "vcpu");
	switch_to(&core3, 1100, "swapper/3", "cat");
	switch_to(&core3, 1110, "cat", "kworker/u8:1-events");
	switch_to(&core3, 1120, "kworker/u8:1-events", "swapper/3");
	core_finish(&noise, &span, &core1);
	core_finish(&noise, &span, &core3);
	owners_find(&noise);
	noise_finish(&noise);
	ck_assert_str_eq(noise.owners[0], "vcpu");
	ck_assert_str_eq(noise.owners[1], "idle");
	ck_assert_uint_eq(noise.nsources, 3);
	ck_assert_uint_eq(found(NOISE_THREAD, "kworker/N")->counts[0].count, 2);
	ck_assert_int_eq(found(NOISE_THREAD, "kworker/N")->counts[0].longest_ns, 10);
	ck_assert_uint_eq(found(NOISE_THREAD, "kworker/u")->counts[1].count, 1);
	ck_assert_uint_eq(found(NOISE_THREAD, "cat")->counts[1].count, 1);
}
END_TEST

START_TEST(one_name_is_one_source)
{
	for (uint64_t address = 1; address <= 3; address++) {
		const struct noise_key key = { .kind = NOISE_CALL, .name = "", .address = address };
		struct noise_source *source = noise_source(&noise, &key);

		noise_add(source, 0, (int64_t)address);
		strcpy(source->name, address == 2 ? "other" : "function");
	}
	noise_finish(&noise);
	ck_assert_uint_eq(noise.nsources, 2);
	ck_assert_str_eq(noise.sources[0].name, "function");
	ck_assert_uint_eq(noise.sources[0].counts[0].count, 2);
	ck_assert_int_eq(noise.sources[0].counts[0].longest_ns, 3);
	ck_assert_int_eq(noise.sources[0].counts[0].total_ns, 4);
}
END_TEST

/* What the kernel counted isn't counted a second time by the records, which know the durations. */
START_TEST(counters_count)
{
	struct counter_table before, after;

	take(&core1, "irq_vectors/local_timer_entry", 1110, 0, 0);
	take(&core1, "irq_vectors/local_timer_exit", 1130, 0, 0);
	parse(TABLE("0", "10", "0", "0"), &before);
	parse(TABLE("0", "12", "0", "0"), &after);
	counters_compare(&noise, &before, &after, false);
	noise_finish(&noise);
	ck_assert_uint_eq(noise.nsources, 1);
	ck_assert_uint_eq(noise.sources[0].counts[0].count, 2);
	ck_assert_int_eq(noise.sources[0].counts[0].longest_ns, 20);
	counters_free(&before);
	counters_free(&after);
}
END_TEST

/* --- what is shown --- */

/* No row of the table stands behind one that covers it, and each says both. */
START_TEST(cures_are_found)
{
	for (const struct noise_cure *cure = noise_cures; cure->cause; cure++) {
		char name[NOISE_NAME_MAX];

		snprintf(name, sizeof(name), "%s", cure->name);
		name[strcspn(name, "*")] = '\0';
		ck_assert_msg(noise_cure_find(cure->kind, name) == cure, "%s %s", noise_kind_name(cure->kind),
			      cure->name);
		ck_assert(*cure->cause && *cure->cure);
	}
	ck_assert_ptr_null(noise_cure_find(NOISE_WORK, "no such work"));
}
END_TEST

START_TEST(text_and_json)
{
	const struct noise_key bad = { .kind = NOISE_THREAD, .name = "\033[2J\xff" };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *json;

	noise_add(noise_source(&noise, &bad), 1, 1500);
	noise_miss(&noise, "%s", "a thing");
	noise.lost = 3;
	noise_finish(&noise);
	noise_print(&noise, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "thread \\x1b[2J\\xff"));
	ck_assert_ptr_nonnull(strstr(text, "         0         1         1      1.5 us\n"));
	ck_assert_ptr_nonnull(strstr(text, "not known: a thing\n"));
	ck_assert_ptr_nonnull(strstr(text, "not seen: 3 records"));
	json = noise_json(&noise);
	ck_assert_ptr_nonnull(json);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "lost")), 3);
	ck_assert_int_eq(json_array_size(json_object_get(json, "sources")), 1);
	json_decref(json);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("noise");
	TCase *all = tcase_create("noise");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, counters_are_read);
	tcase_add_test(all, counters_of_other_cores_are_refused);
	tcase_add_test(all, counters_are_compared);
	tcase_add_test(all, layouts_are_read);
	tcase_add_test(all, records_are_decoded);
	tcase_add_test(all, what_is_sent_elsewhere_is_no_noise);
	tcase_add_test(all, bad_records_are_none);
	tcase_add_test(all, interruptions_have_durations);
	tcase_add_test(all, longest_and_total);
	tcase_add_test(all, outside_of_the_span_nothing_counts);
	tcase_add_test(all, lost_records_break_nothing);
	tcase_add_test(all, threads_and_owners);
	tcase_add_test(all, one_name_is_one_source);
	tcase_add_test(all, counters_count);
	tcase_add_test(all, cures_are_found);
	tcase_add_test(all, text_and_json);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
