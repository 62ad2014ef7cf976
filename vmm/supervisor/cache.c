// SPDX-License-Identifier: GPL-2.0-only
/* The VM's share of caches and memory bandwidth, from the plan to the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/supervisor/internal.h"
#include "vmm/supervisor/proc.h"

int plan_cache(struct vm_plan *plan, const struct vm_config *cfg)
{
	const struct cache_user user = {
		.vm = cfg->name, .cores = plan->cores, .ncores = plan->vcpus, .host = "", .state = HOST_STATE
	};

	return cache_plan(&plan->cache, &cfg->cache, &user, &plan->claims);
}

int vm_cache_take(struct vm *vm)
{
	struct cache_group *group = &vm->plan.cache;
	char text[GUARANTEE_TEXT];
	int err = cache_take(group);

	if (!err && group->root >= 0 && vm->opt->verbose) {
		cache_evidence(group, NULL, 0, text, sizeof(text));
		note("cache: %s", text);
	}
	return err;
}

void vm_cache_give_back(struct vm *vm)
{
	cache_give_back(&vm->plan.cache);
}

/* The core manager says which thread it is, and a thread of somebody else's is none of its business. */
int vcpu_cache(const struct vm *vm, pid_t tid)
{
	char status[STATUS_MAX];

	if (vm->plan.cache.root < 0)
		return 0;
	return status_read(vm->core_pid, tid, status) ? -EPROTO : cache_add(&vm->plan.cache, tid);
}

/* CPUs that nobody is to interrupt: of this VM's while it lives, and all that are isolated. */
static char *quiet_list(const struct vm *vm, bool ended)
{
	struct cpus set;

	if (cpus_isolated(&set))
		return NULL;
	for (unsigned int i = 0; !ended && i < vm->plan.vcpus; i++)
		cpus_add(&set, vm->plan.cores[i]);
	return cpus_to_list(&set);
}

static json_t *counter_json(int64_t value)
{
	return value < 0 ? json_null() : json_integer((json_int_t)value);
}

static const char *why_not(int err)
{
	switch (err) {
	case 0:
		return NULL;
	case -EBUSY:
		return "the kernel would read it on a CPU that is isolated, or this VM's";
	case -ENOENT:
		return "this host's resctrl has no monitoring (info/L3_MON)";
	default:
		return "the kernel has no number just now";
	}
}

static json_t *one_json(const struct cache_group *group, unsigned int nth, const char *quiet)
{
	struct cache_use use;
	int err = cache_monitor(group, nth, quiet, &use);
	const char *why = why_not(err);

	return json_pack("{s:i, s:o, s:o, s:o, s:o}", "cache", (int)use.cache, "occupancy_bytes",
			 counter_json(use.values[CACHE_OCCUPANCY]), "total_bytes",
			 counter_json(use.values[CACHE_TOTAL]), "local_bytes", counter_json(use.values[CACHE_LOCAL]),
			 "unread", why ? json_string(why) : json_null());
}

json_t *cache_json(const struct vm *vm, bool ended)
{
	const struct cache_group *group = &vm->plan.cache;
	json_t *caches;
	char *quiet;

	if (group->record_fd < 0)
		return json_null();
	caches = json_array();
	quiet = quiet_list(vm, ended);
	for (unsigned int i = 0; i < group->l3.count; i++)
		json_array_append_new(caches, one_json(group, i, quiet ? quiet : "?"));
	free(quiet);
	return json_pack("{s:s, s:b, s:o}", "group", group->name, "simulated", group->simulated, "l3", caches);
}
