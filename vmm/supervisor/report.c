// SPDX-License-Identifier: GPL-2.0-only
/* What a report holds. Collected when the core manager is dead, so nothing changes any more. */
#include "vmm/supervisor/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/supervisor/internal.h"

static int64_t since_start(const struct vm *vm, int64_t at)
{
	return at - vm->started;
}

json_t *time_json(const struct vm *vm, int64_t at)
{
	return at ? json_integer(since_start(vm, at)) : json_null();
}

static void report_sample(struct vm *vm, bool keep)
{
	struct report *report = &vm->report;
	int64_t now = since_start(vm, clock_now());
	struct exits *exits;

	if (!report->timeline.vcpus || vm->seal.count != report->timeline.vcpus)
		return; /* the core manager hasn't shown all of them yet */
	if (!keep && now < report->timeline.next)
		return;
	exits = timeline_add(&report->timeline, now, keep);
	for (unsigned int i = 0; i < vm->seal.count; i++)
		if (exits_read(&vm->seal.vcpus[i], &exits[i]))
			exits[i] = (struct exits){ 0 };
}

int64_t report_watch(struct vm *vm)
{
	report_sample(vm, false);
	return vm->seal.count == vm->report.timeline.vcpus
		       ? timeline_wait(&vm->report.timeline, since_start(vm, clock_now()))
		       : -1;
}

void report_mark(struct vm *vm)
{
	struct report *report = &vm->report;

	if (report->file.folder < 0 || counters_find(vm->seal.vcpus[0].stats_fd, &report->counters))
		return;
	if (!report->at_seal)
		report->at_seal = calloc((size_t)vm->seal.count * COUNTERS_MAX, sizeof(*report->at_seal));
	for (unsigned int i = 0; report->at_seal && i < vm->seal.count; i++)
		counters_read(vm->seal.vcpus[i].stats_fd, &report->counters, report->at_seal + i * COUNTERS_MAX);
	report_sample(vm, true);
}

static json_t *config_json(const struct vm *vm)
{
	const struct vm_config *cfg = vm->cfg;
	json_t *cores = json_array();

	for (unsigned int i = 0; i < vm->plan.vcpus; i++)
		json_array_append_new(cores, json_integer(vm->plan.cores[i]));
	return json_pack("{s:i, s:o, s:I, s:I, s:s, s:s, s:o}", "vcpus", (int)vm->plan.vcpus, "cores", cores,
			 "memory_bytes", (json_int_t)layout_ram(&vm->plan.layout), "page_bytes",
			 (json_int_t)vm->plan.page_size, "level", seal_level_name(cfg->seal_level), "tripwire",
			 cfg->tripwire == TRIPWIRE_POLLED ? "polled" : "kernel", "exceptions", exceptions_json(cfg));
}

/* Where the pages are; null what the kernel doesn't tell this user. */
static json_t *memory_json(const struct vm *vm)
{
	const struct memory_placement *placement = &vm->memory.placement;
	json_t *nodes = placement->count ? json_array() : json_null();
	uint64_t brought = 0;

	for (uint32_t i = 0; i < placement->count; i++)
		json_array_append_new(nodes, json_pack("{s:i, s:I}", "node", (int)placement->nodes[i].node, "bytes",
						       (json_int_t)placement->nodes[i].bytes));
	for (uint32_t i = 0; i < vm->pool.count; i++)
		brought += vm->pool.nodes[i].added;
	for (uint32_t i = 0; i < vm->rings_pool.count; i++)
		brought += vm->rings_pool.nodes[i].added;
	return json_pack("{s:o, s:o, s:I}", "nodes", nodes, "contiguous_runs",
			 placement->runs ? json_integer((json_int_t)placement->runs) : json_null(), "pages_reserved",
			 (json_int_t)brought);
}

static json_t *host_json(const struct vm *vm)
{
	struct utsname name;
	json_t *vendor = vm->seal.vendor ? json_string(vm->seal.vendor->name) : json_null();

	return json_pack("{s:s, s:o}", "kernel", uname(&name) ? "" : name.release, "processor", vendor);
}

static json_t *start_json(const struct vm *vm)
{
	char date[32], text[64];
	struct tm tm;

	gmtime_r(&vm->utc.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03ldZ", date, vm->utc.tv_nsec / 1000000 % 1000);
	return json_string(text);
}

static json_t *times_json(const struct vm *vm)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "start", start_json(vm), "booting_ns",
			 time_json(vm, vm->booting_at), "asked_ns", time_json(vm, vm->seal.asked_at), "sealed_ns",
			 time_json(vm, seal_time(vm)), "ended_ns", time_json(vm, vm->ended_at));
}

static void state_add(json_t *states, const char *name, json_t *at)
{
	if (json_is_null(at))
		json_decref(at);
	else
		json_array_append_new(states, json_pack("{s:s, s:o}", "state", name, "ns", at));
}

static json_t *states_json(const struct vm *vm, const struct outcome *outcome)
{
	json_t *states = json_array();

	state_add(states, "planned", json_integer(0));
	state_add(states, "prepared", time_json(vm, vm->prepared_at));
	state_add(states, "booting", time_json(vm, vm->booting_at));
	state_add(states, "sealed", time_json(vm, seal_time(vm)));
	state_add(states, outcome->code == EXIT_CLEAN ? "stopping" : "aborting", time_json(vm, vm->ended_at));
	return states;
}

/* The counters that aren't 0, of @values less @before (NULL: 0). */
static json_t *counters_json(const struct report *report, const uint64_t *values, const uint64_t *before)
{
	json_t *json = json_object();

	for (unsigned int i = 0; i < report->counters.count; i++) {
		uint64_t value = values[i] - (before ? before[i] : 0);

		if (value)
			json_object_set_new(json, report->counters.names[i], json_integer((json_int_t)value));
	}
	return json;
}

static void reason_set(json_t *json, const char *name, const struct reason_count *entry)
{
	char rip[24];

	snprintf(rip, sizeof(rip), "0x%" PRIx64, entry->first_rip);
	if (entry->count)
		json_object_set_new(json, name,
				    json_pack("{s:I, s:s}", "exits", (json_int_t)entry->count, "first_rip", rip));
}

/* By the processor's reasons, from the tracepoint; null where this user may not have that. */
static json_t *reasons_json(const struct exit_log *log, bool since)
{
	json_t *json = json_object();

	if (!log) {
		json_decref(json);
		return json_null();
	}
	for (size_t i = 0; i <= REASONS_MAX; i++) {
		const char *name =
			i < MIN(log->vendor->count, (size_t)REASONS_MAX) ? log->vendor->reasons[i].name : "other";

		if (since)
			reason_set(json, name, &log->since_mark[i]);
		else if (log->before_mark[i])
			json_object_set_new(json, name, json_integer((json_int_t)log->before_mark[i]));
	}
	return json;
}

static json_t *since_json(const struct vm *vm, unsigned int i, const struct exits *since, json_t *counters)
{
	const struct exit_log *log = vm->seal.vcpus[i].log;

	return json_pack("{s:I, s:I, s:I, s:o, s:o, s:I, s:o}", "exits", (json_int_t)since->all, "host",
			 (json_int_t)since->host, "guest", (json_int_t)(since->all - since->host), "counters", counters,
			 "reasons", reasons_json(log, true), "lost", (json_int_t)(log ? log->lost : 0), "exceptions",
			 exceptions_count_json(&vm->seal, i));
}

static json_t *vcpu_json(const struct vm *vm, unsigned int i)
{
	const struct watched_vcpu *vcpu = &vm->seal.vcpus[i];
	const struct report *report = &vm->report;
	const uint64_t *marked = report->at_seal ? report->at_seal + (size_t)i * COUNTERS_MAX : NULL;
	struct exits now = { 0 }, before, since = { 0 };
	uint64_t values[COUNTERS_MAX];
	json_t *json;

	exits_read(vcpu, &now);
	counters_read(vcpu->stats_fd, &report->counters, values);
	before = vm->seal.marked ? vcpu->at_seal : now;
	if (vm->seal.marked)
		since = exits_since(vcpu, &now);
	/* what was never sealed has all its reasons since a mark that never came */
	json = json_pack("{s:i, s:i, s:{s:I, s:I, s:o, s:o}}", "vcpu", (int)i, "core", (int)vm->plan.cores[i],
			 "before_seal", "exits", (json_int_t)before.all, "host", (json_int_t)before.host, "counters",
			 counters_json(report, marked ? marked : values, NULL), "reasons",
			 vm->seal.marked ? reasons_json(vcpu->log, false) : json_null());
	json_object_set_new(json, "since_seal",
			    vm->seal.marked ? since_json(vm, i, &since, counters_json(report, values, marked))
					    : json_null());
	return json;
}

static json_t *ledger_json(struct vm *vm)
{
	json_t *ledger = json_array();

	if (!vm->report.counters.count && vm->seal.count)
		counters_find(vm->seal.vcpus[0].stats_fd, &vm->report.counters);
	for (unsigned int i = 0; i < vm->seal.count; i++)
		json_array_append_new(ledger, vcpu_json(vm, i));
	return ledger;
}

static json_t *timeline_json(const struct timeline *timeline)
{
	json_t *samples = json_array();

	for (unsigned int i = 0; i < timeline->count; i++) {
		const struct exits *exits = timeline_at(timeline, i);
		json_t *all = json_array(), *host = json_array();

		for (unsigned int vcpu = 0; vcpu < timeline->vcpus; vcpu++) {
			json_array_append_new(all, json_integer((json_int_t)exits[vcpu].all));
			json_array_append_new(host, json_integer((json_int_t)exits[vcpu].host));
		}
		json_array_append_new(samples, json_pack("{s:I, s:o, s:o}", "ns", (json_int_t)timeline->ns[i], "exits",
							 all, "host", host));
	}
	return json_pack("{s:I, s:o}", "interval_ns", (json_int_t)timeline->interval, "samples", samples);
}

static json_t *outcome_json(const struct outcome *outcome)
{
	return json_pack("{s:i, s:s, s:s}", "exit_code", (int)outcome->code, "meaning", exit_code_text(outcome->code),
			 "text", outcome->text);
}

void report_collect(struct vm *vm, const struct outcome *outcome)
{
	json_t *json;

	if (vm->report.file.folder < 0)
		return;
	report_sample(vm, true);
	guarantees_end(vm, &vm->seal.guarantees);
	json = json_pack("{s:i, s:s, s:s, s:s}", "report", REPORT_VERSION, "nohype", NOHYPE_VERSION, "name",
			 vm->cfg->name, "label", vm->seal.label);
	json_object_set_new(json, "config", config_json(vm));
	json_object_set_new(json, "host", host_json(vm));
	json_object_set_new(json, "outcome", outcome_json(outcome));
	json_object_set_new(json, "times", times_json(vm));
	json_object_set_new(json, "states", states_json(vm, outcome));
	json_object_set_new(json, "guarantees", guarantees_json(&vm->seal.guarantees));
	json_object_set_new(json, "changes", host_changes_json(vm));
	json_object_set_new(json, "memory", memory_json(vm));
	json_object_set_new(json, "cache", cache_json(vm, true));
	json_object_set_new(json, "functions", functions_json(vm));
	json_object_set_new(json, "violation", violation_json(vm));
	json_object_set_new(json, "ledger", ledger_json(vm));
	json_object_set_new(json, "timeline", timeline_json(&vm->report.timeline));
	vm->report.json = json;
}

void report_finish(struct vm *vm)
{
	json_t *json = vm->report.json, *cleared = json_null();

	if (vm->cleared.bytes)
		cleared = json_pack("{s:I, s:f, s:b, s:i, s:s}", "bytes", (json_int_t)vm->cleared.bytes, "seconds",
				    (double)vm->cleared.ns / 1e9, "verified", (int)vm->cleared.verified, "threads",
				    (int)vm->cleared.threads, "stores", vm->cleared.stores);
	json_object_set_new(json, "steps", steps_said_json(vm));
	json_object_set_new(json, "disks", disks_json(vm));
	json_object_set_new(json, "memory_cleared", cleared);
	json_object_set_new(json, "outcome", outcome_json(vm->outcome)); /* a disk may not have been saved */
	state_add(json_object_get(json, "states"), "gone", json_integer(since_start(vm, clock_now())));
}
