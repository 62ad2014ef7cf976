// SPDX-License-Identifier: GPL-2.0-only
/* The ring process' life, in order. */
#include <stdlib.h>

#include "base/log.h"
#include "vmm/jail/jail.h"
#include "vmm/rings/process.h"

static int streams_make(struct rings_process *process)
{
	process->console = (struct stream){ .bytes = malloc(CONSOLE_HISTORY), .size = CONSOLE_HISTORY };
	process->logged = (struct stream){ .bytes = malloc(LOG_HISTORY), .size = LOG_HISTORY };
	if (!process->console.bytes || !process->logged.bytes)
		return fail(-1, "rings: no memory for what is kept of console and log");
	return 0;
}

static int rings_begin(struct rings_process *process)
{
	char lacking[256] = "";
	int err;

	err = jail_close("the ring process'", process->start.uid, process->start.supervisor_pid, lacking,
			 sizeof(lacking));
	if (err)
		return err;
	err = streams_make(process);
	if (err)
		return err;
	err = rings_map(process);
	if (err)
		return err;
	err = filter_apply(&filter_rings); /* no way back from here */
	if (err)
		return err;
	word_send(RINGS_WORD_JAILED, 0, lacking);
	return 0;
}

int main(void)
{
	struct rings_process *process = calloc(1, sizeof(*process));

	if (!process || jail_begin(RINGS_SOCKET) || start_receive(RINGS_SOCKET, process))
		return 3; // NOLINT(clang-analyzer-unix.Malloc): exit is the cleanup
	if (rings_begin(process))
		return 1; // NOLINT(clang-analyzer-unix.Malloc)
	rings_loop(process);
}
