// SPDX-License-Identifier: GPL-2.0-only
/* What says that the guest is alive, and what waits for the host's wish that it end. */
#include "examples/guests/programs/nohype-guest/guest.h"

#include <stdio.h>
#include <unistd.h>

#define BEAT_MS	   1000 /* where the host doesn't say */
#define REQUEST_MS 50

/* Twice as often as is wanted, so that being late once is no miss. */
int heartbeat_main(int argc, char **argv)
{
	struct rings *rings;
	unsigned int ms;

	(void)argv;
	if (argc)
		return usage_wrong();
	rings = rings_open(ROLE_HEARTBEAT);
	if (!rings || streams_close(STDIN_FILENO))
		return EXIT_ERROR;
	ms = rings->beat_ms ? rings->beat_ms : BEAT_MS;
	for (uint64_t beats = atomic_load(&rings->beats) + 1;; beats++) {
		atomic_store(&rings->beats, beats);
		sleep_ms(ms / 2 + 1);
	}
}

int on_stop_main(int argc, char **argv)
{
	struct rings *rings = rings_open(ROLE_ON_STOP);

	if (!rings)
		return EXIT_ERROR;
	atomic_store(&rings->serves_requests, 1);
	if (streams_close(STDIN_FILENO))
		return EXIT_ERROR;
	while (atomic_load(&rings->request) != RINGS_REQUEST_STOP)
		sleep_ms(REQUEST_MS);
	atomic_store(&rings->serves_requests, 0);
	if (!argc)
		return power_off();
	execvp(argv[0], argv);
	return EXIT_ERROR;
}
