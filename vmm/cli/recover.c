// SPDX-License-Identifier: GPL-2.0-only
/* `nohype recover`: the host as it was, after the death of everything. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "pinning/host/host.h"
#include "vmm/cli/cli.h"
#include "vmm/recover/recover.h"

static void recovered_print(const struct recovered *recovered)
{
	const json_t *life;
	size_t i;

	json_array_foreach (recovered->lives, i, life) {
		printf("VM \"%s\" was %s when all that ran it was killed: its memory was %s\n",
		       json_string_value(json_object_get(life, "vm")),
		       json_string_value(json_object_get(life, "state")),
		       json_string_value(json_object_get(life, "memory")));
	}
	if (recovered->cores_killed)
		printf("%u core managers without a supervisor were ended\n", recovered->cores_killed);
	if (recovered->vms)
		printf("the functions of %u killed VMs are the host's again\n", recovered->vms);
	if (recovered->caches)
		printf("the shares of caches and bandwidth of %u killed VMs are the host's again\n", recovered->caches);
	if (recovered->pages)
		printf("%" PRIu64 " huge pages that killed VMs had reserved are out of the host's pools again\n",
		       recovered->pages);
	if (recovered->cores)
		printf("cores %s, which were half taken, are the host's again\n", recovered->cores);
	if (recovered->by_manager)
		puts("nohyped runs: what became of its VMs is among its events");
	if (!recovered_any(recovered))
		puts("nothing is left to recover");
}

static int recover_parse(const struct command *cmd, int argc, char **argv, bool *json, const char **run)
{
	char quoted[64];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			*json = true;
		else if (strcmp(argv[i], "--run") == 0 && i + 1 < argc)
			*run = argv[++i];
		else
			return fail(-EINVAL, "%s: %s: unknown: see nohype help %s", cmd->name,
				    quote_text(quoted, sizeof(quoted), argv[i], strlen(argv[i])), cmd->name);
	}
	return 0;
}

int recover_main(const struct command *cmd, int argc, char **argv)
{
	struct recovered recovered = RECOVERED_NONE;
	const char *run = HOST_STATE;
	bool json = false;
	json_t *found;
	int err, next;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (recover_parse(cmd, argc, argv, &json, &run))
		return EXIT_USAGE;
	err = recover_lives(&recovered, run, HOST_STATE);
	next = recover_claims(&recovered, run, "", HOST_STATE, "recover");
	err = err ? err : next;
	next = recover_memory(&recovered, run, HOST_STATE, "recover");
	err = err ? err : next;
	next = recover_host(&recovered, HOST_STATE);
	err = err ? err : next;
	found = json ? recovered_json(&recovered) : NULL;
	if (found) {
		json_dumpf(found, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		recovered_print(&recovered);
	}
	json_decref(found);
	recovered_free(&recovered);
	return err ? EXIT_ERROR : EXIT_CLEAN;
}
