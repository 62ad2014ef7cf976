// SPDX-License-Identifier: GPL-2.0-only
/* Frequency and idle states of the cores alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "pinning/host/internal.h"

#define GOVERNOR   "performance"
#define LATENCY_US 2 /* of idle states that may stay: C1, by HLT or MWAIT, tells 1 or 2 */

/* The core's frequency may be that of others, too (Documentation/admin-guide/pm/cpufreq.rst, affected_cpus). */
static bool frequency_is_shared(const struct host *host, const char *folder)
{
	char *path = text_make("%s/affected_cpus", folder), *text = path ? file_get(path) : NULL;
	const char *word = text;
	bool shared = false;

	for (char *end; word && *word && !shared; word = end + strspn(end, " ")) {
		unsigned long cpu = strtoul(word, &end, 10);

		if (end == word)
			break;
		shared = cpu >= CPUS_MAX || !cpus_has(&host->cores, (unsigned int)cpu);
	}
	free(text);
	free(path);
	return shared;
}

static bool governor_is_there(const char *folder)
{
	char *path = text_make("%s/scaling_available_governors", folder), *text = path ? file_get(path) : NULL;
	bool there = text && text_has_word(text, GOVERNOR);

	free(text);
	free(path);
	return there;
}

static int plan_core_frequency(struct host *host, unsigned int cpu)
{
	const struct change change = { .kind = CHANGE_TEXT, .subject = SUBJECT_FREQUENCY };
	char *folder = host_path(host, "/sys/devices/system/cpu/cpu%u/cpufreq", cpu);
	int err = folder ? 0 : -ENOMEM;

	if (folder && file_is(folder)) {
		if (frequency_is_shared(host, folder))
			err = lines_add(
				&host->lacking,
				"core %u has its frequency from a governor that others of the host's share: take "
				"these too, or set theirs",
				cpu);
		else if (!governor_is_there(folder))
			err = lines_add(&host->lacking, "core %u: its driver has no governor " GOVERNOR, cpu);
		else
			err = plan_value(host, change, text_make("%s/scaling_governor", folder), strdup(GOVERNOR), "");
	}
	free(folder);
	return err;
}

int plan_frequency(struct host *host)
{
	int err = 0;

	for (unsigned int cpu = 0; !err && cpu < CPUS_MAX; cpu++)
		if (cpus_has(&host->cores, cpu))
			err = plan_core_frequency(host, cpu);
	return err;
}

struct idle {
	struct host *host;
	unsigned int cpu;
};

/* Documentation/admin-guide/pm/cpuidle.rst. */
static int plan_idle_state(void *context, const char *state)
{
	const struct change change = { .kind = CHANGE_NUMBER, .subject = SUBJECT_IDLE };
	const struct idle *idle = context;
	char *folder = host_path(idle->host, "/sys/devices/system/cpu/cpu%u/cpuidle/%s", idle->cpu, state);
	char *path = folder ? text_make("%s/latency", folder) : NULL, *latency = path ? file_get(path) : NULL;
	int err = path ? 0 : -ENOMEM;

	free(path);
	path = folder ? text_make("%s/name", folder) : NULL;
	if (latency && strtoul(latency, NULL, 10) > LATENCY_US) {
		char *name = path ? file_get(path) : NULL;

		err = plan_value(idle->host, change, text_make("%s/disable", folder), strdup("1"), name ? name : "");
		free(name);
	}
	free(path);
	free(latency);
	free(folder);
	return err;
}

int plan_idle(struct host *host)
{
	int err = 0;

	for (struct idle idle = { host, 0 }; !err && idle.cpu < CPUS_MAX; idle.cpu++) {
		char *folder;

		if (!cpus_has(&host->cores, idle.cpu))
			continue;
		folder = host_path(host, "/sys/devices/system/cpu/cpu%u/cpuidle", idle.cpu);
		err = folder ? folder_each(folder, plan_idle_state, &idle) : -ENOMEM;
		free(folder);
	}
	return err;
}
