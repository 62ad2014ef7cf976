// SPDX-License-Identifier: GPL-2.0-only
/* `nohype host COMMAND`: what is done with the host's own cores. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/host.h"

/* In the order in which the help shows them. */
static const struct host_command host_commands[] = {
	{ "topology", "[--json]",
	  "Shows the host's CPUs by socket, NUMA node with its huge pages, cache and physical core; which are\n"
	  "isolated; which VM has what; and which isolated CPUs are no VM's.\n",
	  host_topology_main },
	{ "plan", "--cores LIST [--json]",
	  "Shows what apply would do for these cores, each value before and after; what can't be had here; and what "
	  "only\n"
	  "a reboot can change, as words for the kernel's command line. Changes nothing.\n",
	  host_plan_main },
	{ "apply", "--cores LIST [--dry-run] [--json]",
	  "Takes these cores (as 2-3,6) from the host and makes them quiet: tasks, interrupts, workqueues, timers.\n"
	  "What was before is kept in /run/nohype/host.journal. If one of the changes fails, all are put back.\n"
	  "--dry-run  print each change, and make none\n",
	  host_apply_main },
	{ "status", "[--json]",
	  "Shows which cores are taken, by whom and since when, and whether each change still holds. Exit code 3: one "
	  "doesn't.\n",
	  host_status_main },
	{ "undo", "[--force] [--json]",
	  "Gives the cores back: each value becomes what it was, unless someone else has changed it since: that is "
	  "left,\n"
	  "and said. Also after apply or undo was killed.\n"
	  "--force  also with VMs on the cores, and with a journal that is damaged\n",
	  host_undo_main },
	{ "noise", "--cores LIST | --vm NAME [--seconds N] [--counters] [--json]",
	  "Measures what the host interrupts these cores for: each source, how often, the longest, what causes and "
	  "what "
	  "stops\n"
	  "it. Switching the tracepoints on and off interrupts every core, which would end a VM sealed at level "
	  "silent;\n"
	  "the measurement between the two interrupts none. Ctrl-C ends it and shows what was seen until then.\n"
	  "  --cores LIST   host cores, as 1,3-5\n"
	  "  --vm NAME      those of a running VM\n"
	  "  --seconds N    for how long (10)\n"
	  "  --counters     only the kernel's counters, which disturbs nobody: no causes, no durations\n"
	  "  --json         one object on a line\n",
	  host_noise_main },
	{ NULL },
};

static const struct host_command *host_command_find(const char *name)
{
	for (const struct host_command *sub = host_commands; sub->name; sub++)
		if (strcmp(sub->name, name) == 0)
			return sub;
	return NULL;
}

static void host_help(const struct command *cmd)
{
	help_print_command(cmd);
	for (const struct host_command *sub = host_commands; sub->name; sub++)
		printf("\nnohype host %s %s\n%s", sub->name, sub->synopsis, sub->details);
}

static int host_unknown(const char *name)
{
	struct nearest near = { .asked = name };
	char quoted[64];

	quote_text(quoted, sizeof(quoted), name, strlen(name));
	for (const struct host_command *sub = host_commands; sub->name; sub++)
		nearest_offer(&near, sub->name, sub->name);
	if (near.word)
		fail(-EINVAL, "host: %s: unknown: did you mean %s?", quoted, near.word);
	else
		fail(-EINVAL, "host: %s: unknown: nohype help host lists what there is", quoted);
	return EXIT_USAGE;
}

int host_main(const struct command *cmd, int argc, char **argv)
{
	const struct host_command *sub;

	if (argc < 2) {
		fail(-EINVAL, "host: wanted nohype host COMMAND; nohype help host lists what there is");
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		host_help(cmd);
		return EXIT_CLEAN;
	}
	sub = host_command_find(argv[1]);
	if (!sub)
		return host_unknown(argv[1]);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0)
			continue;
		printf("Usage: nohype host %s %s\n\n%s", sub->name, sub->synopsis, sub->details);
		return EXIT_CLEAN;
	}
	return sub->main(argc - 1, argv + 1);
}
