// SPDX-License-Identifier: GPL-2.0-only
/* The table: for people, as JSON, and what can be read about it. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vmm/doctor/internal.h"

#define NAME_WIDTH 24
#define HINT_MAX   120 /* bytes of a hint's command; a longer one is for --fix */

/* A group's name in the ids, and its title. */
static const struct {
	const char *name, *title;
} groups[] = {
	{ "kvm", "KVM" },
	{ "cpu", "Cores" },
	{ "irq", "Interrupts, timers, IPIs" },
	{ "memory", "Memory" },
	{ "iommu", "IOMMU and functions" },
	{ "cache", "Cache and bandwidth" },
	{ "security", "Security" },
};

/* ECMA-48: green, blue, magenta, yellow, bold red. */
static const char *const colours[] = {
	[CHECK_OK] = "\033[32m",   [CHECK_NOTE] = "\033[34m",  [CHECK_UNKNOWN] = "\033[35m",
	[CHECK_WARN] = "\033[33m", [CHECK_BAD] = "\033[1;31m",
};
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

static bool is_in_group(const struct check *check, const char *group)
{
	size_t len = (size_t)check_group_len(check);

	return strlen(group) == len && strncmp(check->id, group, len) == 0;
}

/* One line about what to do: the command, or the words for the kernel's command line, or what is wanted. */
static void hint_print(const struct check *check, const struct doctor *doctor, FILE *out)
{
	char *fix = fix_expand(check->fix, doctor), *boot = fix_expand(check->fix_boot, doctor);
	bool has_fix = fix && *fix, is_short = has_fix && !strchr(fix, '\n') && strlen(fix) <= HINT_MAX;

	fprintf(out, "  %-*s wanted: %s", NAME_WIDTH + 8, "", check->wanted);
	if (has_fix)
		fprintf(out, "; do: %s", is_short ? fix : "see --fix");
	if (boot && *boot)
		fprintf(out, "; at boot: %s", boot);
	putc('\n', out);
	free(fix);
	free(boot);
}

static void row_print(const struct diagnosed *row, const struct doctor *doctor, bool colour, FILE *out)
{
	enum check_status status = row->finding.status;

	fprintf(out, "  %s%-7s%s %-*s %s\n", colour ? colours[status] : "", check_status_name(status),
		colour ? PLAIN : "", NAME_WIDTH, row->check->id + check_group_len(row->check) + 1, row->finding.found);
	if (status >= CHECK_WARN)
		hint_print(row->check, doctor, out);
}

/* The worst first, else in the table's order. */
static void group_print(const struct diagnosis *diagnosis, const struct doctor *doctor, size_t group, bool colour,
			FILE *out)
{
	bool any = false;

	for (int status = CHECK_BAD; status >= CHECK_OK; status--)
		for (size_t i = 0; i < diagnosis->count; i++) {
			const struct diagnosed *row = &diagnosis->rows[i];

			if ((int)row->finding.status != status || !is_in_group(row->check, groups[group].name))
				continue;
			if (!any)
				fprintf(out, "%s%s%s\n", colour ? BOLD : "", groups[group].title, colour ? PLAIN : "");
			any = true;
			row_print(row, doctor, colour, out);
		}
	if (any)
		putc('\n', out);
}

static void counts_print(const struct diagnosis *diagnosis, FILE *out)
{
	unsigned int counts[CHECK_BAD + 1] = { 0 };

	for (size_t i = 0; i < diagnosis->count; i++)
		counts[diagnosis->rows[i].finding.status]++;
	fprintf(out, "%zu checks:", diagnosis->count);
	for (int status = CHECK_BAD; status >= CHECK_OK; status--)
		fprintf(out, " %u %s%s", counts[status], check_status_name((enum check_status)status),
			status > CHECK_OK ? "," : "\n");
}

/* What decided, by name. */
static void verdict_print(const struct diagnosis *diagnosis, const struct doctor *doctor, FILE *out)
{
	const char *separator = "";

	if (doctor->vm)
		fprintf(out, "%s, sealed at level %s: ", doctor->vm->name, seal_level_name(doctor->vm->seal_level));
	if (diagnosis_is_good(diagnosis, doctor)) {
		fputs(doctor->vm ? "this host can keep it\n" : "this host has what is required\n", out);
		return;
	}
	fputs(doctor->vm ? "this host can't keep it: " : "this host lacks, or doesn't tell, what is required: ", out);
	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct diagnosed *row = &diagnosis->rows[i];

		if (!check_decides(doctor, row->check) ||
		    (row->finding.status != CHECK_BAD && row->finding.status != CHECK_UNKNOWN))
			continue;
		fprintf(out, "%s%s%s", separator, row->check->id,
			row->finding.status == CHECK_UNKNOWN ? " (unknown)" : "");
		separator = ", ";
	}
	putc('\n', out);
}

void diagnosis_print(const struct diagnosis *diagnosis, const struct doctor *doctor, bool colour, FILE *out)
{
	char text[120];

	fprintf(out, "Cores: %s (%s)\n\n", list_text(&doctor->cores, text, sizeof(text)), doctor->whose);
	for (size_t group = 0; group < ARRAY_SIZE(groups); group++)
		group_print(diagnosis, doctor, group, colour, out);
	counts_print(diagnosis, out);
	verdict_print(diagnosis, doctor, out);
}

/* --- JSON --- */

static json_t *levels_json(const struct check *check)
{
	json_t *levels = json_array();

	for (unsigned int level = SEAL_AUDIT; level <= SEAL_SILENT; level++)
		if (check->levels & LEVEL(level))
			json_array_append_new(levels, json_string(seal_level_name(level)));
	return levels;
}

static json_t *text_json(const char *text, const struct doctor *doctor)
{
	char *expanded = fix_expand(text, doctor);
	json_t *json = json_string(expanded);

	free(expanded);
	return json;
}

json_t *diagnosis_json(const struct diagnosis *diagnosis, const struct doctor *doctor)
{
	json_t *array = json_array();

	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct finding *finding = &diagnosis->rows[i].finding;
		const struct check *check = diagnosis->rows[i].check;

		json_array_append_new(
			array, json_pack("{s:s, s:s%, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "id", check->id,
					 "group", check->id, (size_t)check_group_len(check), "status",
					 check_status_name(finding->status), "source", check->source, "found",
					 finding->found, "wanted", check->wanted, "use", check_use_name(check->use),
					 "levels", levels_json(check), "fix", text_json(check->fix, doctor), "fix_boot",
					 text_json(check->fix_boot, doctor), "documentation", check->documentation));
	}
	return array;
}

/* --- nohype explain checks --- */

static void line_explain(const char *what, const char *text, FILE *out)
{
	char *expanded = fix_expand(text, NULL), *rest = expanded, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			fprintf(out, "    %-8s %s\n", what, line);
	free(expanded);
}

void checks_explain(FILE *out)
{
	const struct check *check;
	char levels[64];

	for (size_t group = 0; group < ARRAY_SIZE(groups); group++) {
		fprintf(out, "%s%s\n", group ? "\n" : "", groups[group].title);
		for (size_t i = 0; (check = check_at(i)); i++) {
			if (!is_in_group(check, groups[group].name))
				continue;
			fprintf(out, "  %s: %s (%s)\n", check->id, check_use_name(check->use),
				check_levels(check, levels, sizeof(levels)));
			line_explain("reads", check->source, out);
			line_explain("wanted", check->wanted, out);
			line_explain("to do", check->fix, out);
			line_explain("at boot", check->fix_boot, out);
			line_explain("see", check->documentation, out);
		}
	}
}
