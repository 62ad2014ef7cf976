// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define SHOW_AFTER 1000000000 /* ns: what takes less needs no bar */
#define BAR_WIDTH  40

void progress_show(void *ctx, uint64_t done, uint64_t total)
{
	struct progress *progress = ctx;
	int64_t ns;
	int filled = total ? (int)(done * BAR_WIDTH / total) : BAR_WIDTH;

	if (!progress->started)
		progress->started = clock_now();
	ns = clock_now() - progress->started;
	if (!isatty(STDERR_FILENO) || ns < SHOW_AFTER)
		return;
	progress->shown = true;
	fprintf(stderr, "\r%s [%.*s%*s] %" PRIu64 " of %" PRIu64 " MiB, %.0f MiB/s ", progress->what, filled,
		"########################################", BAR_WIDTH - filled, "", done >> 20, total >> 20,
		(double)done / (double)MIB(1) / ((double)ns / 1e9));
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
	progress->shown = false;
}
