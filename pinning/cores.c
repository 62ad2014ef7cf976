// SPDX-License-Identifier: GPL-2.0-only
/* Which cores a VM gets, and the claims on them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pinning/pinning.h"

bool cpu_list_next(const char **list, unsigned long *first, unsigned long *last)
{
	char *end;

	if (**list < '0' || **list > '9')
		return false;
	*first = *last = strtoul(*list, &end, 10);
	if (*end == '-')
		*last = strtoul(end + 1, &end, 10);
	*list = *end == ',' ? end + 1 : end;
	return true;
}

/* --- claims --- */

static struct claim core_claim(unsigned int cpu)
{
	struct claim claim = { .mode = CLAIM_ALONE };

	snprintf(claim.what, sizeof(claim.what), "core %u", cpu);
	return claim;
}

static const struct claim_holder *core_holder(const struct claims *claims, unsigned int cpu)
{
	struct claim claim = core_claim(cpu);

	return claims_find(&claims->others, claim.what, NULL);
}

static int vcpu_claim(const struct placement *placement, struct claims *claims, unsigned int vcpu, unsigned int cpu)
{
	struct claim claim = core_claim(cpu);
	char where[64];

	snprintf(claim.note, sizeof(claim.note), "vCPU %u", vcpu);
	snprintf(where, sizeof(where), "%s: %u", placement->nwanted ? "cores" : "vcpus",
		 placement->nwanted ? cpu : placement->vcpus);
	return claims_add(claims, &claim, where);
}

static int beside_claim(const struct placement *placement, struct claims *claims, unsigned int cpu,
			unsigned int sibling)
{
	struct claim claim = core_claim(sibling);
	char where[96];

	snprintf(claim.note, sizeof(claim.note), "beside core %u, for no vCPU", cpu);
	snprintf(where, sizeof(where), "cores: %u: smt %s wants its physical core alone, and", cpu,
		 placement->smt == SMT_EXCLUDE ? "exclude" : "whole-core");
	return claims_add(claims, &claim, where);
}

static int cores_claim(const struct placement *placement, struct claims *claims, const unsigned int *cores,
		       struct cpus *beside)
{
	struct cpus own = { 0 }, siblings;
	int err = 0;

	*beside = (struct cpus){ 0 };
	for (unsigned int i = 0; i < placement->vcpus; i++)
		cpus_add(&own, cores[i]);
	for (unsigned int i = 0; !err && i < placement->vcpus; i++) {
		err = vcpu_claim(placement, claims, i, cores[i]);
		if (placement->smt == SMT_SHARE)
			continue;
		topology_siblings(placement->topology, cores[i], &siblings);
		cpus_without(&siblings, &siblings, &own);
		cpus_or(beside, beside, &siblings);
		for (unsigned int cpu = 0; !err && cpu < CPUS_MAX; cpu++)
			if (cpus_has(&siblings, cpu))
				err = beside_claim(placement, claims, cores[i], cpu);
	}
	return err;
}

/* --- asked for by number --- */

static int core_lacks(const struct placement *placement, unsigned int cpu)
{
	struct cpus online;
	char *list;

	topology_cpus(placement->topology, &online);
	list = cpus_to_list(&online);
	fail(-ENODEV, "cores: %u: no such core is online on this host (it has %s)", cpu, list ? list : "?");
	free(list);
	return -ENODEV;
}

/* Siblings of @cpu that are among the wanted ones, or aren't. */
static int siblings_check(const struct placement *placement, unsigned int cpu, const struct cpus *wanted)
{
	struct cpus siblings;

	topology_siblings(placement->topology, cpu, &siblings);
	for (unsigned int other = 0; other < CPUS_MAX; other++) {
		if (other == cpu || !cpus_has(&siblings, other))
			continue;
		if (placement->smt == SMT_EXCLUDE && cpus_has(wanted, other))
			return fail(-EINVAL,
				    "cores: %u and %u are threads of one physical core, of which smt exclude takes "
				    "one: leave one out, or say smt whole-core",
				    cpu, other);
		if (placement->smt == SMT_WHOLE_CORE && !cpus_has(wanted, other))
			return fail(-EINVAL,
				    "cores: %u: its sibling %u is missing, and smt whole-core wants all threads of a "
				    "core: name that too, or say smt exclude",
				    cpu, other);
	}
	return 0;
}

/* A thread goes into the partition, or not, with all others of its VM. */
static int partition_check(const struct placement *placement, const struct cpus *wanted)
{
	struct cpus outside;
	char *in, *out;

	if (!cpus_meet(wanted, &placement->partition) || cpus_within(wanted, &placement->partition))
		return 0;
	cpus_without(&outside, wanted, &placement->partition);
	in = cpus_to_list(&placement->partition);
	out = cpus_to_list(&outside);
	fail(-EINVAL,
	     "cores: %s: not of the partition, %s, which others of this VM's are: wanted all of them there, or none",
	     out ? out : "?", in ? in : "?");
	free(out);
	free(in);
	return -EINVAL;
}

static int cores_check(const struct placement *placement, struct claims *claims, struct cpus *beside)
{
	struct cpus wanted = { 0 };
	int err = 0;

	for (unsigned int i = 0; i < placement->nwanted; i++) {
		if (!topology_find(placement->topology, placement->wanted[i]))
			return core_lacks(placement, placement->wanted[i]);
		cpus_add(&wanted, placement->wanted[i]);
	}
	err = partition_check(placement, &wanted);
	/* who has a sibling is said rather than that it is missing */
	if (!err)
		err = cores_claim(placement, claims, placement->wanted, beside);
	for (unsigned int i = 0; !err && i < placement->nwanted; i++)
		err = siblings_check(placement, placement->wanted[i], &wanted);
	if (!err && cpus_has(&wanted, 0))
		warn("cores: 0: what can't be moved of the host's own work stays on it");
	return err;
}

/* --- "auto" --- */

struct choice {
	const struct placement *placement;
	struct cpus free; /* what may be chosen, less what was */
	int node, cache;  /* to be near to, or -1 */
};

static bool has_memory(const struct placement *placement, unsigned int node)
{
	for (unsigned int i = 0; i < placement->nmemory_nodes; i++)
		if (placement->memory_nodes[i] == node)
			return true;
	return false;
}

/* The less, the better; the order of the bits is that of what matters. */
static unsigned int core_cost(const struct choice *choice, const struct cpu_place *place, const struct cpus *threads)
{
	const struct placement *placement = choice->placement;
	unsigned int cost = 0;

	cost |= cpus_within(threads, &placement->partition) || cpus_within(threads, &placement->isolated) ? 0 : 32;
	cost |= cpus_has(threads, 0) ? 16 : 0;
	cost |= placement->function_node >= 0 && place->node != (unsigned int)placement->function_node ? 8 : 0;
	cost |= placement->nmemory_nodes && !has_memory(placement, place->node) ? 4 : 0;
	cost |= choice->node >= 0 && place->node != (unsigned int)choice->node ? 2 : 0;
	cost |= choice->cache >= 0 && place->cache != choice->cache ? 1 : 0;
	return cost;
}

/* The threads that come with @place if it is chosen. */
static void threads_of(const struct choice *choice, const struct cpu_place *place, struct cpus *threads)
{
	if (choice->placement->smt == SMT_SHARE) {
		*threads = (struct cpus){ 0 };
		cpus_add(threads, place->cpu);
	} else {
		topology_siblings(choice->placement->topology, place->cpu, threads);
	}
}

static const struct cpu_place *core_best(const struct choice *choice)
{
	const struct topology *topology = choice->placement->topology;
	const struct cpu_place *best = NULL;
	unsigned int best_cost = 0;
	struct cpus threads;

	for (size_t i = 0; i < topology->count; i++) {
		const struct cpu_place *place = &topology->list[i];
		unsigned int cost;

		threads_of(choice, place, &threads);
		if (!cpus_within(&threads, &choice->free))
			continue;
		cost = core_cost(choice, place, &threads);
		if (best && (cost > best_cost || (cost == best_cost && place->cpu < best->cpu)))
			continue;
		best = place;
		best_cost = cost;
	}
	return best;
}

/* The vCPUs of one physical core: its highest thread, or with "whole-core" all, upwards. */
static void core_use(struct choice *choice, const struct cpu_place *place, unsigned int *count, unsigned int *cores)
{
	struct cpus threads;

	threads_of(choice, place, &threads);
	cpus_without(&choice->free, &choice->free, &threads);
	choice->node = (int)place->node;
	choice->cache = place->cache;
	if (choice->placement->smt != SMT_WHOLE_CORE) {
		cores[(*count)++] = place->cpu;
		return;
	}
	for (unsigned int cpu = 0; cpu < CPUS_MAX && *count < choice->placement->vcpus; cpu++)
		if (cpus_has(&threads, cpu))
			cores[(*count)++] = cpu;
}

/* How many vCPUs out of @pool have a core. With a node that has room for all first, so that they aren't parted. */
static unsigned int pool_try(const struct placement *placement, const struct cpus *pool, int node, unsigned int *cores)
{
	struct choice choice = { .placement = placement, .free = *pool, .node = node, .cache = -1 };
	const struct cpu_place *best;
	unsigned int count = 0;

	while (count < placement->vcpus && (best = core_best(&choice)))
		core_use(&choice, best, &count, cores);
	return count;
}

/* How bad a choice is: the sum of its cores' costs, and a bit for each that is elsewhere than the first. */
static unsigned int choice_cost(const struct placement *placement, const unsigned int *cores)
{
	const struct cpu_place *first = topology_find(placement->topology, cores[0]), *place;
	struct choice choice = { .placement = placement, .node = (int)first->node, .cache = first->cache };
	unsigned int cost = 0;
	struct cpus threads;

	for (unsigned int i = 0; i < placement->vcpus; i++) {
		place = topology_find(placement->topology, cores[i]);
		threads_of(&choice, place, &threads);
		cost += core_cost(&choice, place, &threads);
	}
	return cost;
}

/* Begun on each node, and the best is kept. */
static unsigned int pool_choose(const struct placement *placement, const struct cpus *pool, unsigned int *cores)
{
	unsigned int count = pool_try(placement, pool, -1, cores), cost, tried[256] = { 0 };

	if (count < placement->vcpus)
		return count;
	cost = choice_cost(placement, cores);
	for (size_t i = 0; i < placement->topology->nnodes; i++) {
		if (pool_try(placement, pool, (int)placement->topology->nodes[i].number, tried) < placement->vcpus ||
		    choice_cost(placement, tried) >= cost)
			continue;
		cost = choice_cost(placement, tried);
		memcpy(cores, tried, placement->vcpus * sizeof(*cores));
	}
	return count;
}

/* Why there are too few: who has what is said of one, the first that is found. */
static int too_few(const struct placement *placement, const struct claims *claims, const struct cpus *usable,
		   unsigned int count)
{
	const struct claim_holder *holder;

	for (unsigned int cpu = CPUS_MAX; cpu-- > 0;) {
		holder = cpus_has(usable, cpu) ? core_holder(claims, cpu) : NULL;
		if (holder)
			return fail(
				-EBUSY,
				"vcpus: %u: each takes a core of its own, and this host has %u left for it: core %u "
				"is promised to VM \"%s\" (process %d of user %u)",
				placement->vcpus, count, cpu, holder->vm, (int)holder->pid, (unsigned int)holder->uid);
	}
	return fail(-ENOSPC, "vcpus: %u: each takes a core of its own, and this host has %u for it%s", placement->vcpus,
		    count,
		    placement->smt == SMT_EXCLUDE && cpus_count(usable) >= placement->vcpus
			    ? ": others are their siblings (smt whole-core takes these too)"
			    : "");
}

static int cores_pick(const struct placement *placement, struct claims *claims, unsigned int *cores)
{
	struct cpus online, usable, unclaimed, pool;
	unsigned int count;

	topology_cpus(placement->topology, &online);
	cpus_or(&usable, &placement->isolated, &placement->allowed);
	cpus_or(&usable, &usable, &placement->partition);
	cpus_and(&usable, &usable, &online);
	unclaimed = usable;
	for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++)
		if (cpus_has(&usable, cpu) && core_holder(claims, cpu))
			unclaimed.words[cpu / 64] &= ~(1ULL << cpu % 64);
	cpus_and(&pool, &unclaimed, &placement->partition);
	if (pool_choose(placement, &pool, cores) == placement->vcpus)
		return 0;
	cpus_without(&pool, &unclaimed, &placement->partition);
	count = pool_choose(placement, &pool, cores);
	return count == placement->vcpus ? 0 : too_few(placement, claims, &usable, count);
}

int cores_choose(const struct placement *placement, struct claims *claims, unsigned int *cores, struct cpus *beside)
{
	int err;

	if (placement->nwanted) {
		err = cores_check(placement, claims, beside);
		if (!err)
			memcpy(cores, placement->wanted, placement->nwanted * sizeof(*cores));
		return err;
	}
	err = cores_pick(placement, claims, cores);
	return err ? err : cores_claim(placement, claims, cores, beside);
}
