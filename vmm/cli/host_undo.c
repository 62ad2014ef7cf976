// SPDX-License-Identifier: GPL-2.0-only
/* `nohype host status` and `nohype host undo`. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "pinning/host/host.h"
#include "pinning/resctrl/resctrl.h"
#include "sriov/sriov.h"
#include "vmm/cli/host.h"

static int status_show(const struct host_status *status, int err, bool json)
{
	if (err && err != -ENOENT)
		return err == -EBADMSG || err == -EPROTO ? EXIT_HOST : EXIT_ERROR;
	if (json)
		host_print_json(host_status_json(err ? NULL : status));
	else if (err)
		puts("no cores are taken");
	else
		host_print_status(status, stdout);
	if (err)
		return EXIT_CLEAN;
	return status->journal.applied && !status->counts[OUTCOME_LEFT] && !status->others.count ? EXIT_CLEAN
												 : EXIT_HOST;
}

int host_status_main(int argc, char **argv)
{
	struct host_options options;
	struct host_status status = { 0 };
	int lock, code;

	if (!host_options_parse(&options, "j", argc, argv))
		return EXIT_USAGE;
	lock = state_lock(options.state, false);
	if (lock < 0 && lock != -ENOENT)
		return lock == -EBUSY ? EXIT_HOST : EXIT_ERROR;
	code = status_show(&status, lock < 0 ? lock : host_status(&status, options.state, ""), options.json);
	host_status_free(&status);
	if (lock >= 0)
		close(lock);
	return code;
}

static int undone_show(const struct undone *undone, int err, bool json)
{
	if (err && err != -ENOENT && !undone->outcomes)
		return err == -EBUSY || err == -EBADMSG || err == -EPROTO ? EXIT_HOST : EXIT_ERROR;
	if (json)
		host_print_json(host_undone_json(undone->outcomes ? undone : NULL));
	else if (err == -ENOENT)
		puts("nothing to undo: no cores are taken");
	else if (!err)
		printf("cores %s are the host's again: %zu settings restored, %zu left as someone else set them, %zu "
		       "gone\n",
		       undone->journal.cores ? undone->journal.cores : "(unknown)", undone->counts[OUTCOME_DONE],
		       undone->counts[OUTCOME_LEFT], undone->counts[OUTCOME_GONE]);
	return err && err != -ENOENT ? EXIT_ERROR : EXIT_CLEAN;
}

/* Of VMs whose supervisor was killed. They are part of no journal: what is told of them goes to standard error. */
static int pages_undo(const char *state)
{
	uint64_t pages;
	int err = pool_recover(state, &pages);

	if (pages)
		note("host: %" PRIu64 " huge pages that killed VMs had reserved are out of the host's pools again",
		     pages);
	return err ? EXIT_ERROR : EXIT_CLEAN;
}

/* The same of their functions. */
static int functions_undo(const char *state)
{
	unsigned int vms;
	int err = functions_recover(state, &vms);

	if (vms)
		note("host: the functions of %u killed VM%s are the host's again", vms, vms == 1 ? "" : "s");
	return err ? EXIT_ERROR : EXIT_CLEAN;
}

/* And of their caches. */
static int caches_undo(const char *state)
{
	unsigned int groups;
	int err = cache_recover("", state, &groups);

	if (groups)
		note("host: the shares of caches and bandwidth of %u killed VM%s are the host's again", groups,
		     groups == 1 ? "" : "s");
	return err ? EXIT_ERROR : EXIT_CLEAN;
}

int host_undo_main(int argc, char **argv)
{
	struct undone undone = { 0 };
	struct host_options options;
	int lock, code;

	if (!host_options_parse(&options, "fj", argc, argv))
		return EXIT_USAGE;
	lock = state_lock(options.state, true);
	if (lock < 0)
		return lock == -EBUSY ? EXIT_HOST : EXIT_ERROR;
	code = undone_show(&undone, host_undo(&undone, options.state, "", options.force), options.json);
	undone_free(&undone);
	close(lock);
	code = MAX(code, functions_undo(options.state));
	code = MAX(code, caches_undo(options.state));
	return MAX(code, pages_undo(options.state));
}
