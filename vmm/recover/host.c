// SPDX-License-Identifier: GPL-2.0-only
/* The host's own things: cores half taken, functions, shares of caches and huge pages of killed VMs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memmap/memmap.h"
#include "pinning/host/host.h"
#include "pinning/resctrl/resctrl.h"
#include "sriov/sriov.h"
#include "vmm/recover/recover.h"

static int cores_undo(struct recovered *recovered, const char *state)
{
	struct undone undone = { 0 };
	int err = host_undo(&undone, state, "", false);

	if (!err)
		recovered->cores = strdup(undone.journal.cores ? undone.journal.cores : "(unknown)");
	undone_free(&undone);
	return err;
}

/* Cores that are taken whole were meant to be: only an apply (or an undo) that was cut off is undone. */
static int cores_recover(struct recovered *recovered, const char *state)
{
	struct host_status status = { 0 };
	int lock = state_lock(state, false), err;
	bool whole;

	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	err = host_status(&status, state, "");
	whole = err || status.journal.applied;
	host_status_free(&status);
	close(lock);
	if (err || whole)
		return err == -ENOENT ? 0 : err;
	lock = state_lock(state, true);
	if (lock < 0)
		return lock;
	err = cores_undo(recovered, state);
	close(lock);
	return err;
}

int recover_host(struct recovered *recovered, const char *state)
{
	int err = functions_recover(state, &recovered->vms), next = pool_recover(state, &recovered->pages);

	err = err ? err : next;
	next = cache_recover("", state, &recovered->caches);
	err = err ? err : next;
	next = cores_recover(recovered, state);
	return err ? err : next;
}

void recovered_add(struct recovered *recovered, const char *name, const char *state, const struct fate *fate)
{
	if (!recovered->lives)
		recovered->lives = json_array();
	json_array_append_new(recovered->lives,
			      json_pack("{s:s, s:s, s:s}", "vm", name, "state", state, "memory", fate->text));
}

bool recovered_any(const struct recovered *recovered)
{
	return recovered->cores || recovered->vms || recovered->caches || recovered->pages || recovered->cores_killed ||
	       json_array_size(recovered->lives);
}

json_t *recovered_json(const struct recovered *recovered)
{
	return json_pack("{s:s?, s:i, s:i, s:I, s:i, s:O?, s:b}", "cores", recovered->cores, "functions_of",
			 (int)recovered->vms, "caches_of", (int)recovered->caches, "pages",
			 (json_int_t)recovered->pages, "core_managers", (int)recovered->cores_killed, "vms",
			 recovered->lives, "nohyped_runs", recovered->by_manager);
}

void recovered_free(struct recovered *recovered)
{
	free(recovered->cores);
	json_decref(recovered->lives);
	*recovered = RECOVERED_NONE;
}
