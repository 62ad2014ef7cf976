// SPDX-License-Identifier: GPL-2.0-only
/*
 * `nohype explain exits`: the reasons for which a processor leaves a guest, and what the seal makes of each;
 * `nohype explain checks`: what `nohype doctor` looks at; `nohype explain steps`: those of a VM's life.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/doctor/doctor.h"
#include "vmm/supervisor/steps.h"
#include "vmm/x86/reasons.h"

static void vendor_print(const struct vendor *vendor)
{
	printf("%s\n", vendor->name);
	for (size_t i = 0; i < vendor->count; i++) {
		const struct exit_reason *reason = &vendor->reasons[i];

		printf("  0x%-4x %-22s %-8s %s", reason->number, reason->name, reason->host ? "passes" : "ends it",
		       reason->cause);
		if (reason->avoid && strcmp(reason->avoid, "-") != 0)
			printf(" (to avoid it: %s)", reason->avoid);
		putchar('\n');
	}
}

static int steps_print(bool json)
{
	json_t *steps = json ? steps_json() : NULL;

	if (steps)
		json_dumpf(steps, stdout, JSON_COMPACT);
	else
		steps_explain(stdout);
	if (json)
		putchar('\n');
	json_decref(steps);
	return EXIT_CLEAN;
}

int explain_main(const struct command *cmd, int argc, char **argv)
{
	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (argc == 2 && strcmp(argv[1], "checks") == 0) {
		checks_explain(stdout);
		return EXIT_CLEAN;
	}
	if (argc >= 2 && argc <= 3 && strcmp(argv[1], "steps") == 0 && (argc == 2 || strcmp(argv[2], "--json") == 0))
		return steps_print(argc == 3);
	if (argc != 2 || strcmp(argv[1], "exits") != 0) {
		fail(-EINVAL, "explain: wanted what to explain: exits, checks or steps");
		return EXIT_USAGE;
	}
	puts("What level strict makes of each exit. silent lets none pass; userspace ends the guest at those alone "
	     "that\n"
	     "KVM hands to the core manager (port I/O, MSRs, accesses outside of memory); audit counts.\n"
	     "A reason that isn't listed is the guest's.\n");
	vendor_print(&vendor_amd);
	putchar('\n');
	vendor_print(&vendor_intel);
	return EXIT_CLEAN;
}
