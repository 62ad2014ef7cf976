// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "pinning/host/internal.h"

static int change_fail(const struct change *change, int err, const char *found)
{
	if (found)
		return fail(-EIO, "host: %s: %s: wrote %s, and it is \"%s\"", subject_name(change->subject),
			    change->path, *change->new ? change->new : "nothing", found);
	return fail(err, "host: %s: %s: %s to be written: %s", subject_name(change->subject), change->path,
		    *change->new ? change->new : "nothing", strerror(-err));
}

/*
 * Interrupts: EIO up to Linux 6.11, EPERM since; or it is gone since the plan. A fair server: EBUSY where the kernel
 * has lost count of its bandwidth in a scheduling domain, as it has in a partition, or once anybody has read
 * /proc/sys/kernel/sched_rt_runtime_us, until the next partition comes or goes (all seen on 6.12.95). Of a task: it has
 * ended.
 */
static bool refusal_is_fine(const struct change *change, int err)
{
	if (change->subject == SUBJECT_FAIR_SERVER)
		return err == -EBUSY;
	if (change->flags & CHANGE_MAY_BE_REFUSED)
		return err == -EIO || err == -EPERM || err == -ENOENT;
	return change->kind == CHANGE_TASK && err == -ESRCH;
}

/* What a task may use of its CPUs are those that are online, and of no other group's. */
static bool change_holds(const struct change *change, const char *found)
{
	struct cpus is, wanted;

	if (change->flags & CHANGE_ROUNDED || strcmp(found, change->new) == 0)
		return true;
	return change->kind == CHANGE_TASK && !cpus_from_list(&is, found) && !cpus_from_list(&wanted, change->new) &&
	       cpus_within(&is, &wanted);
}

static int change_verify(const struct change *change)
{
	char *found = change_read(change);
	int err = found ? 0 : -errno;

	if (err && !refusal_is_fine(change, err))
		change_fail(change, err, NULL);
	else if (found && !change_holds(change, found))
		err = change_fail(change, 0, found);
	else
		err = 0;
	free(found);
	return err;
}

int change_apply(struct change *change)
{
	char *found = change_read(change);
	bool nothing_to_do = change->flags & CHANGE_FOLLOWS || (found && strcmp(found, change->new) == 0);
	int err;

	free(found);
	if (nothing_to_do)
		return 0;
	err = change_write(change, change->new);
	if (!err)
		return change_verify(change);
	if (!refusal_is_fine(change, err))
		return change_fail(change, err, NULL);
	change->flags |= CHANGE_REFUSED;
	return 0;
}

static int roll_back(const struct host *host, const char *state, int err)
{
	size_t counts[OUTCOMES] = { 0 };
	enum change_outcome *outcomes = calloc(host->changes.count + 1, sizeof(*outcomes));

	if (outcomes)
		changes_undo(&host->changes, &host->cores, host->root, outcomes, counts);
	if (!outcomes || counts[OUTCOME_FAILED])
		fail(err, "host: not all could be put back: nohype host undo tries again");
	else if (!journal_remove(state))
		note("host: all is put back as it was");
	free(outcomes);
	return err;
}

/* What the kernel refused is known at the end, and so is that the end was reached. */
static int changes_make(struct host *host, struct journal *journal, const char *state)
{
	int err = 0;

	for (size_t i = 0; !err && i < host->changes.count; i++)
		err = change_apply(&host->changes.list[i]);
	journal->applied = true;
	if (!err)
		err = journal_write(journal, state);
	return err ? roll_back(host, state, err) : 0;
}

int host_apply(struct host *host, const char *state)
{
	struct journal journal = {
		.pid = (unsigned int)getpid(), .uid = getuid(), .time = time(NULL), .cores = cpus_to_list(&host->cores)
	};
	int err = journal.cores ? journal_boot(journal.boot, host->root)
				: fail(-ENOMEM, "host: no memory for the journal");

	journal.changes = host->changes; /* the same list: @host frees it */
	if (!err)
		err = journal_write(&journal, state);
	if (!err)
		err = changes_make(host, &journal, state);
	free(journal.cores);
	return err;
}
