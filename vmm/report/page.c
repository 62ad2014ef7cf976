// SPDX-License-Identifier: GPL-2.0-only
/* The page: what ended the VM on top, then the evidence. Nothing is loaded and nothing runs. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/util.h"
#include "vmm/report/report.h"
#include "vmm/report/style.h"

static void tag(const char *colour, const char *text, FILE *out)
{
	fprintf(out, "<span class=\"tag %s\">", colour);
	markup_text(text, out);
	fputs("</span>", out);
}

static void fact_begin(const char *name, FILE *out)
{
	fprintf(out, "<div><dt>%s</dt><dd>", name);
}

static void fact_end(FILE *out)
{
	fputs("</dd></div>\n", out);
}

static void fact_text(const char *name, const char *text, FILE *out)
{
	fact_begin(name, out);
	markup_text(text, out);
	fact_end(out);
}

static void fact_duration(const char *name, const json_t *ns, FILE *out)
{
	fact_begin(name, out);
	if (json_is_integer(ns))
		markup_duration(json_integer_value(ns), out);
	else
		fputs("never", out);
	fact_end(out);
}

static void bytes_write(json_int_t bytes, FILE *out)
{
	if (bytes >= (json_int_t)MIB(1))
		fprintf(out, "%" JSON_INTEGER_FORMAT " MiB", bytes >> 20);
	else
		fprintf(out, "%" JSON_INTEGER_FORMAT " KiB", bytes >> 10);
}

static void head_write(const json_t *report, FILE *out)
{
	const json_t *outcome = told_get(report, "outcome");
	json_int_t code = told_number(outcome, "exit_code");
	const char *colour = code == EXIT_CLEAN ? "good" : code == EXIT_VIOLATION ? "bad" : "warn";
	const char *word = code == EXIT_CLEAN ? "clean end" : code == EXIT_VIOLATION ? "violation" : "not a clean end";

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\">\n"
	      "<title>",
	      out);
	markup_text(told_text(report, "name"), out);
	fputs(" - nohype report</title>\n<style>\n" PAGE_STYLE "</style>\n</head>\n<body>\n<main>\n", out);
	fputs("<header>\n<p class=\"kicker\">What became of a VM of nohype</p>\n<h1>", out);
	markup_text(told_text(report, "name"), out);
	fputs("</h1>\n<p>", out);
	tag(colour, word, out);
	fprintf(out, " exit code %" JSON_INTEGER_FORMAT ": ", code);
	markup_text(told_text(outcome, "meaning"), out);
	fputs("</p>\n<p class=\"mono\">", out);
	markup_text(told_text(outcome, "text"), out);
	fputs("</p>\n</header>\n", out);
}

static void cores_write(const json_t *config, FILE *out)
{
	const json_t *core;
	size_t i;

	fact_begin("vCPUs, and their cores", out);
	fprintf(out, "%" JSON_INTEGER_FORMAT " (", told_number(config, "vcpus"));
	json_array_foreach (told_get(config, "cores"), i, core)
		fprintf(out, "%s%" JSON_INTEGER_FORMAT,
			i						 ? ", "
			: json_array_size(told_get(config, "cores")) > 1 ? "cores "
									 : "core ",
			json_integer_value(core));
	fputs(")", out);
	fact_end(out);
}

static void memory_write(const json_t *report, FILE *out)
{
	const json_t *config = told_get(report, "config"), *cleared = told_get(report, "memory_cleared");

	fact_begin("Memory", out);
	bytes_write(told_number(config, "memory_bytes"), out);
	fputs(" in pages of ", out);
	bytes_write(told_number(config, "page_bytes"), out);
	fact_end(out);
	fact_begin("Memory cleared", out);
	if (json_is_object(cleared)) {
		bytes_write(told_number(cleared, "bytes"), out);
		fprintf(out, " in %.3f s%s", json_number_value(told_get(cleared, "seconds")),
			json_is_true(told_get(cleared, "verified")) ? ", read back as zero" : ", read back in part");
	} else {
		fputs("not by nohype", out);
	}
	fact_end(out);
}

static void level_write(const json_t *report, FILE *out)
{
	const json_t *config = told_get(report, "config"), *value;
	const char *name;
	bool first = true;

	fact_begin("Seal", out);
	markup_text(told_text(config, "level"), out);
	if (strcmp(told_text(config, "tripwire"), "polled") == 0)
		fputs(", polled", out);
	json_object_foreach ((json_t *)told_get(config, "exceptions"), name, value) {
		fputs(first ? ", except " : ", ", out);
		markup_text(name, out);
		if (json_is_string(value)) {
			fputs(" at ", out);
			markup_text(json_string_value(value), out);
		}
		first = false;
	}
	fact_end(out);
}

static void functions_write(const json_t *report, FILE *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach (told_get(report, "functions"), i, one)
		fact_text(json_is_true(told_get(one, "held")) ? "Function" : "Function, not as asked",
			  told_text(one, "evidence"), out);
}

static void disks_write(const json_t *report, FILE *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach (told_get(report, "disks"), i, one) {
		const json_t *saved = told_get(one, "saved");

		fact_begin("Disk", out);
		if (told_get(one, "controller")) {
			fputs("NVMe ", out);
			markup_text(told_text(one, "controller"), out);
			fputs(", ", out);
		}
		if (json_is_string(told_get(one, "image"))) {
			markup_text(told_text(one, "image"), out);
			fputs(", ", out);
		}
		markup_text(told_text(one, "format"), out);
		fputs(", ", out);
		bytes_write(told_number(one, "bytes"), out);
		fputs(", save: ", out);
		markup_text(told_text(one, "save"), out);
		if (json_is_object(saved)) {
			fputs(", ", out);
			bytes_write(told_number(saved, "written_bytes"), out);
			fprintf(out, " written, the rest %s",
				json_is_true(told_get(saved, "changes_only")) ? "as it was" : "zero");
		}
		fact_end(out);
	}
}

static void facts_write(const json_t *report, FILE *out)
{
	const json_t *times = told_get(report, "times"), *host = told_get(report, "host");

	fputs("<section aria-label=\"Summary\">\n<dl class=\"facts\">\n", out);
	fact_begin("Started", out);
	markup_date(told_text(times, "start"), out);
	fact_end(out);
	fact_duration("Sealed after", told_get(times, "sealed_ns"), out);
	fact_duration("Ended after", told_get(times, "ended_ns"), out);
	level_write(report, out);
	if (*told_text(report, "label"))
		fact_text("The guest calls itself", told_text(report, "label"), out);
	cores_write(told_get(report, "config"), out);
	memory_write(report, out);
	disks_write(report, out);
	functions_write(report, out);
	fact_text("Host's kernel", told_text(host, "kernel"), out);
	fact_text("Processor", *told_text(host, "processor") ? told_text(host, "processor") : "unknown", out);
	fputs("</dl>\n</section>\n", out);
}

/* A row of a table as its two begin: what it is about, and what that is. */
static void row_begin(const char *what, const char *colour, const char *state, FILE *out)
{
	fputs("<tr><th scope=\"row\">", out);
	markup_text(what, out);
	fputs("</th><td>", out);
	tag(colour, state, out);
	fputs("</td><td>", out);
}

/* And how it ends. */
static void row_end(const char *evidence, FILE *out)
{
	markup_text(evidence, out);
	fputs("</td></tr>\n", out);
}

static void guarantees_write(const json_t *report, FILE *out)
{
	const json_t *one;
	size_t i;

	fputs("<section>\n<h2>Guarantees</h2>\n", out);
	if (!json_array_size(told_get(report, "guarantees"))) {
		fputs("<p>It was never sealed, so nothing was promised.</p>\n</section>\n", out);
		return;
	}
	fputs("<table class=\"stack\">\n<thead><tr><th>what</th><th>state</th><th>as read back from the kernel at the "
	      "seal"
	      "</th></tr></thead>\n<tbody>\n",
	      out);
	json_array_foreach (told_get(report, "guarantees"), i, one) {
		const char *state = told_text(one, "state");

		row_begin(told_text(one, "name"),
			  strcmp(state, "held") == 0	   ? "good"
			  : strcmp(state, "not held") == 0 ? "bad"
							   : "warn",
			  state, out);
		row_end(told_text(one, "evidence"), out);
	}
	fputs("</tbody>\n</table>\n</section>\n", out);
}

static void changes_write(const json_t *report, FILE *out)
{
	const json_t *one;
	size_t i;

	if (!json_array_size(told_get(report, "changes")))
		return;
	fputs("<section>\n<h2>What the host changed meanwhile</h2>\n<table class=\"stack\">\n<thead><tr><th>what</th>"
	      "<th>became</th><th>after</th><th>as read from the kernel</th></tr></thead>\n<tbody>\n",
	      out);
	json_array_foreach (told_get(report, "changes"), i, one) {
		const char *state = told_text(one, "state");

		row_begin(told_text(one, "what"),
			  strcmp(state, "held again") == 0 ? "good"
			  : strcmp(state, "lost") == 0	   ? "bad"
							   : "warn",
			  state, out);
		markup_duration(told_number(one, "ns"), out);
		fputs("</td><td>", out);
		row_end(told_text(one, "evidence"), out);
	}
	fputs("</tbody>\n</table>\n</section>\n", out);
}

static void violation_write(const json_t *report, FILE *out)
{
	static const struct {
		const char *key, *name;
	} hexes[] = {
		{ "rip", "At RIP" },	      { "port", "Port" },	    { "msr", "MSR" },
		{ "value", "Value" },	      { "access", "Access" },	    { "address", "Guest-physical address" },
		{ "info1", "Information 1" }, { "info2", "Information 2" },
	};
	const json_t *violation = told_get(report, "violation");

	if (!json_is_object(violation))
		return;
	fputs("<section>\n<h2>Violation</h2>\n<dl class=\"facts\">\n", out);
	fact_begin("Reason", out);
	markup_text(told_text(violation, "reason_name"), out);
	fputs(" (", out);
	markup_text(*told_text(violation, "processor") ? told_text(violation, "processor") : "KVM", out);
	fprintf(out, " exit 0x%" PRIx64 ")", (uint64_t)told_number(violation, "reason"));
	fact_end(out);
	fact_begin("vCPU", out);
	fprintf(out, "%" JSON_INTEGER_FORMAT ", on core %" JSON_INTEGER_FORMAT, told_number(violation, "vcpu"),
		told_number(violation, "core"));
	fact_end(out);
	if (json_is_integer(told_get(violation, "ns")))
		fact_duration("After", told_get(violation, "ns"), out);
	for (size_t i = 0; i < ARRAY_SIZE(hexes); i++) {
		if (!*told_text(violation, hexes[i].key))
			continue;
		fact_begin(hexes[i].name, out);
		fprintf(out, "<code>%s</code>", told_text(violation, hexes[i].key)); /* checked: digits or a word */
		fact_end(out);
	}
	fact_text("Recorded by",
		  strcmp(told_text(violation, "source"), "kvm_exit") == 0 ? "the tracepoint kvm:kvm_exit"
									  : "the vCPU's page",
		  out);
	fputs("</dl>\n</section>\n", out);
}

static void timeline_write(const json_t *report, FILE *out)
{
	fputs("<section>\n<h2>Exits a second, from the start to the end</h2>\n"
	      "<p class=\"legend note\"><span><i class=\"key\" style=\"color:var(--guest)\"></i>by the guest</span>"
	      "<span><i class=\"key\" style=\"color:var(--host)\"></i>by the host (its interrupts)</span></p>\n"
	      "<div class=\"scroll\">\n",
	      out);
	chart_write(report, out);
	fputs("</div>\n<p class=\"note\">All vCPUs together, from KVM's statistics, which are read without disturbing "
	      "a "
	      "vCPU: ",
	      out);
	fprintf(out, "%zu samples, ", json_array_size(told_get(told_get(report, "timeline"), "samples")));
	markup_duration(told_number(told_get(report, "timeline"), "interval_ns"), out);
	fputs(" apart in the end.</p>\n</section>\n", out);
}

static void cell(json_int_t number, FILE *out)
{
	fputs("<td class=\"n\">", out);
	markup_number(number, out);
	fputs("</td>", out);
}

struct row {
	json_int_t before_host, before_guest, host, guest;
};

static struct row row_of(const json_t *vcpu)
{
	const json_t *before = told_get(vcpu, "before_seal"), *since = told_get(vcpu, "since_seal");

	return (struct row){ .before_host = told_number(before, "host"),
			     .before_guest = MAX(told_number(before, "exits") - told_number(before, "host"), 0),
			     .host = told_number(since, "host"),
			     .guest = told_number(since, "guest") };
}

static void row_write(const struct row *row, FILE *out)
{
	cell(row->before_host, out);
	cell(row->before_guest, out);
	cell(row->host, out);
	cell(row->guest, out);
	fputs("</tr>\n", out);
}

static void ledger_write(const json_t *report, FILE *out)
{
	const json_t *vcpu, *ledger = told_get(report, "ledger");
	struct row all = { 0 };
	size_t i;

	fputs("<section>\n<h2>Exits by vCPU</h2>\n<div "
	      "class=\"scroll\">\n<table>\n<thead><tr><th>vCPU</th><th>core</th>"
	      "<th class=\"n\">before the seal, by the host</th><th class=\"n\">by the guest</th>"
	      "<th class=\"n\">since, by the host</th><th class=\"n\">by the guest</th></tr></thead>\n<tbody>\n",
	      out);
	json_array_foreach (ledger, i, vcpu) {
		struct row row = row_of(vcpu);

		all = (struct row){ all.before_host + row.before_host, all.before_guest + row.before_guest,
				    all.host + row.host, all.guest + row.guest };
		fprintf(out, "<tr><td>%" JSON_INTEGER_FORMAT "</td><td>%" JSON_INTEGER_FORMAT "</td>",
			told_number(vcpu, "vcpu"), told_number(vcpu, "core"));
		row_write(&row, out);
	}
	if (json_array_size(ledger) > 1) {
		fputs("<tr class=\"sum\"><td>all</td><td></td>", out);
		row_write(&all, out);
	}
	fputs("</tbody>\n</table>\n</div>\n<p class=\"note\">The last exit by the guest is what ended it: a violation, "
	      "or "
	      "its clean end.</p>\n",
	      out);
}

/* Names to [before, since, first RIP], of all vCPUs together. @key: "reasons" or "counters". A new reference. */
static json_t *sums_make(const json_t *report, const char *key)
{
	json_t *sums = json_object(), *value;
	const json_t *vcpu;
	const char *name;
	size_t i;

	json_array_foreach (told_get(report, "ledger"), i, vcpu) {
		for (int part = 0; part < 2; part++) {
			const json_t *from = told_get(told_get(vcpu, part ? "since_seal" : "before_seal"), key);

			json_object_foreach ((json_t *)from, name, value) {
				json_t *sum = json_object_get(sums, name);
				json_int_t more =
					json_is_object(value) ? told_number(value, "exits") : json_integer_value(value);

				if (!sum) {
					sum = json_pack("[i, i, s]", 0, 0, "");
					json_object_set_new(sums, name, sum);
				}
				json_integer_set(json_array_get(sum, (size_t)part),
						 json_integer_value(json_array_get(sum, (size_t)part)) + more);
				if (json_is_object(value) && !*json_string_value(json_array_get(sum, 2)))
					json_string_set(json_array_get(sum, 2), told_text(value, "first_rip"));
			}
		}
	}
	return sums;
}

static void sums_write(const json_t *sums, bool rips, FILE *out)
{
	json_t *sum;
	const char *name;

	fprintf(out,
		"<div class=\"scroll\">\n<table>\n<thead><tr><th>%s</th><th class=\"n\">before the seal</th>"
		"<th class=\"n\">since</th>%s</tr></thead>\n<tbody>\n",
		rips ? "reason" : "counter", rips ? "<th class=\"n\">since, first at RIP</th>" : "");
	json_object_foreach ((json_t *)sums, name, sum) {
		fputs("<tr><td>", out);
		markup_text(name, out);
		fputs("</td>", out);
		cell(json_integer_value(json_array_get(sum, 0)), out);
		cell(json_integer_value(json_array_get(sum, 1)), out);
		if (rips)
			fprintf(out, "<td class=\"n\"><code>%s</code></td>", json_string_value(json_array_get(sum, 2)));
		fputs("</tr>\n", out);
	}
	fputs("</tbody>\n</table>\n</div>\n", out);
}

/* The rest of the ledger's section. */
static void reasons_write(const json_t *report, FILE *out)
{
	json_t *reasons = sums_make(report, "reasons"), *counters = sums_make(report, "counters");

	if (json_object_size(reasons)) {
		fputs("<details open>\n<summary>By the processor's reasons, from the tracepoint</summary>\n", out);
		sums_write(reasons, true, out);
		fputs("</details>\n", out);
	}
	if (json_object_size(counters)) {
		fputs("<details>\n<summary>KVM's statistics, as far as they aren't 0</summary>\n", out);
		sums_write(counters, false, out);
		fputs("</details>\n", out);
	}
	fputs("</section>\n", out);
	json_decref(reasons);
	json_decref(counters);
}

static void states_write(const json_t *report, FILE *out)
{
	const json_t *one;
	size_t i;

	fputs("<section>\n<h2>States</h2>\n<table>\n<thead><tr><th>state</th><th class=\"n\">since the start</th></tr>"
	      "</thead>\n<tbody>\n",
	      out);
	json_array_foreach (told_get(report, "states"), i, one) {
		fputs("<tr><td>", out);
		markup_text(told_text(one, "state"), out);
		fputs("</td><td class=\"n\">", out);
		markup_duration(told_number(one, "ns"), out);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody>\n</table>\n</section>\n", out);
}

void page_write(const json_t *report, FILE *out)
{
	head_write(report, out);
	facts_write(report, out);
	violation_write(report, out);
	guarantees_write(report, out);
	changes_write(report, out);
	timeline_write(report, out);
	ledger_write(report, out);
	reasons_write(report, out);
	states_write(report, out);
	fputs("<footer><p>Written by nohype ", out);
	markup_text(told_text(report, "nohype"), out);
	fputs("; the page holds all of itself, and loads and runs nothing.</p></footer>\n</main>\n</body>\n</html>\n",
	      out);
}
