// SPDX-License-Identifier: GPL-2.0-only
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pinning/host/host.h"
#include "vmm/cli/host.h"

/* Values are the kernel's, and a name that was made by a process is escaped already. */
static const char *value_shown(const char *value)
{
	return *value ? value : "none";
}

static void change_print(const struct change *change, FILE *out)
{
	fprintf(out, "  %s", change->path);
	if (*change->detail)
		fprintf(out, " (%s)", change->detail);
	fprintf(out, ": %s -> %s\n", value_shown(change->old), value_shown(change->new));
}

static void subject_print(const struct changes *changes, enum subject subject, FILE *out)
{
	bool begun = false;

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->list[i];

		if (change->subject != subject || change->flags & CHANGE_FOLLOWS)
			continue;
		if (!begun)
			fprintf(out, "\n%s: %s\n", subject_name(subject), subject_why(subject));
		begun = true;
		change_print(change, out);
	}
}

static void cores_print(const struct host *host, FILE *out)
{
	char *cores = cpus_to_list(&host->cores), *rest = cpus_to_list(&host->rest);

	fprintf(out, "Cores %s for VMs; the host keeps %s.\n", cores ? cores : "", rest ? rest : "");
	free(rest);
	free(cores);
}

void host_print_plan(const struct host *host, FILE *out)
{
	cores_print(host, out);
	for (enum subject subject = 0; subject < SUBJECTS; subject++)
		subject_print(&host->changes, subject, out);
	if (host->lacking.count)
		fputs("\nNot to be had like this:\n", out);
	for (size_t i = 0; i < host->lacking.count; i++)
		fprintf(out, "  %s\n", host->lacking.list[i]);
	if (host->nwords)
		fputs("\nOnly at boot, by the kernel's command line:\n", out);
	for (size_t i = 0; i < host->nwords; i++)
		fprintf(out, "  %s\n      %s\n", host->words[i].word, host->words[i].why);
}

static json_t *lines_json(const struct lines *lines)
{
	json_t *array = json_array();

	for (size_t i = 0; i < lines->count; i++)
		json_array_append_new(array, json_string(lines->list[i]));
	return array;
}

static json_t *cpus_json(const struct cpus *set)
{
	char *list = cpus_to_list(set);
	json_t *json = json_string(list ? list : "");

	free(list);
	return json;
}

static json_t *change_json(const struct change *change)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "subject", subject_name(change->subject), "path",
			 change->path, "detail", change->detail, "old", change->old, "new", change->new, "refused",
			 (change->flags & CHANGE_REFUSED) != 0);
}

static json_t *words_json(const struct host *host)
{
	json_t *array = json_array();

	for (size_t i = 0; i < host->nwords; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s}", "word", host->words[i].word, "why", host->words[i].why));
	return array;
}

json_t *host_plan_json(const struct host *host)
{
	json_t *array = json_array();

	for (size_t i = 0; i < host->changes.count; i++)
		if (!(host->changes.list[i].flags & CHANGE_FOLLOWS))
			json_array_append_new(array, change_json(&host->changes.list[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "cores", cpus_json(&host->cores), "host_cores",
			 cpus_json(&host->rest), "partition", cpus_json(&host->partition), "changes", array, "lacking",
			 lines_json(&host->lacking), "boot", words_json(host));
}

static const char *const states[OUTCOMES] = {
	[OUTCOME_DONE] = "holds",
	[OUTCOME_ALREADY] = "refused",
	[OUTCOME_LEFT] = "changed",
	[OUTCOME_GONE] = "gone",
};

static void status_values(const struct host_status *status, FILE *out)
{
	for (size_t i = 0; i < status->journal.changes.count; i++) {
		const struct change *change = &status->journal.changes.list[i];

		if (status->outcomes[i] == OUTCOME_LEFT)
			fprintf(out, "  %s: %s: is %s, wanted %s\n", subject_name(change->subject), change->path,
				value_shown(status->found[i]), value_shown(change->new));
		else if (status->outcomes[i] == OUTCOME_ALREADY)
			fprintf(out, "  %s: %s%s%s: the kernel keeps it, or hasn't it\n", subject_name(change->subject),
				change->path, *change->detail ? " " : "", change->detail);
	}
}

static void status_tasks(const struct lines *tasks, const char *title, FILE *out)
{
	if (tasks->count)
		fprintf(out, "%s:\n", title);
	for (size_t i = 0; i < tasks->count; i++)
		fprintf(out, "  %s\n", tasks->list[i]);
}

void host_print_status(const struct host_status *status, FILE *out)
{
	const struct journal *journal = &status->journal;
	time_t when = (time_t)journal->time;
	char date[64];
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S %z", localtime_r(&when, &tm));
	fprintf(out, "cores %s are the VMs', taken by process %u of user %u at %s%s\n", journal->cores, journal->pid,
		journal->uid, date, journal->applied ? "" : "; that was cut off: nohype host undo first");
	fprintf(out, "settings: %zu hold, %zu don't, %zu refused by the kernel, %zu gone\n",
		status->counts[OUTCOME_DONE], status->counts[OUTCOME_LEFT], status->counts[OUTCOME_ALREADY],
		status->counts[OUTCOME_GONE]);
	status_values(status, out);
	status_tasks(&status->guests, "tasks on these cores", out);
	status_tasks(&status->others, "tasks that may run there, and shouldn't", out);
	if (status->fixed.count)
		fprintf(out, "kernel threads that may run there, which nobody can move: %zu, as %s\n",
			status->fixed.count, status->fixed.list[0]);
}

static json_t *status_changes_json(const struct host_status *status)
{
	json_t *array = json_array(), *json;

	for (size_t i = 0; i < status->journal.changes.count; i++) {
		json = change_json(&status->journal.changes.list[i]);
		json_object_set_new(json, "state", json_string(states[status->outcomes[i]]));
		json_object_set_new(json, "found", status->found[i] ? json_string(status->found[i]) : json_null());
		json_array_append_new(array, json);
	}
	return array;
}

json_t *host_status_json(const struct host_status *status)
{
	const struct journal *journal;

	if (!status)
		return json_pack("{s:b}", "applied", 0);
	journal = &status->journal;
	return json_pack("{s:b, s:b, s:s, s:i, s:i, s:I, s:o, s:o, s:o, s:o}", "applied", 1, "complete",
			 journal->applied, "cores", journal->cores, "pid", (int)journal->pid, "uid", (int)journal->uid,
			 "time", (json_int_t)journal->time, "changes", status_changes_json(status), "guests",
			 lines_json(&status->guests), "others", lines_json(&status->others), "fixed",
			 lines_json(&status->fixed));
}

static const char *const undone_states[OUTCOMES] = {
	[OUTCOME_DONE] = "restored", [OUTCOME_ALREADY] = "was so", [OUTCOME_LEFT] = "left",
	[OUTCOME_GONE] = "gone",     [OUTCOME_FAILED] = "failed",
};

json_t *host_undone_json(const struct undone *undone)
{
	json_t *array = json_array(), *json;

	for (size_t i = 0; undone && i < undone->journal.changes.count; i++) {
		json = change_json(&undone->journal.changes.list[i]);
		json_object_set_new(json, "state", json_string(undone_states[undone->outcomes[i]]));
		json_array_append_new(array, json);
	}
	return json_pack("{s:b, s:o}", "undone", undone && !undone->counts[OUTCOME_FAILED], "changes", array);
}

void host_print_json(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (text)
		puts(text);
	free(text);
	json_decref(json);
}
