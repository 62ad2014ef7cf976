// SPDX-License-Identifier: GPL-2.0-only
/* Exits by vCPU, by whose doing they were, and by reason. */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"
#include "vmm/supervisor/stats.h"

/* A vCPU that exits for the host without a pause is read between two exits in fewer. */
#define SNAPSHOT_TRIES 8

int exits_find(struct watched_vcpu *vcpu)
{
	static const char *const names[EXIT_COUNTERS] = { "exits", "irq_exits", "irq_window_exits" };

	return stats_find(vcpu->stats_fd, names, EXIT_COUNTERS, vcpu->exits_at);
}

static bool host_exits_read(const struct watched_vcpu *vcpu, uint64_t *host)
{
	uint64_t irqs, windows;

	if (!stats_read(vcpu->stats_fd, vcpu->exits_at[1], &irqs) ||
	    !stats_read(vcpu->stats_fd, vcpu->exits_at[2], &windows))
		return false;
	*host = irqs + windows;
	return true;
}

int exits_read(const struct watched_vcpu *vcpu, struct exits *exits)
{
	uint64_t host_after;
	unsigned int tries = 0;

	do {
		if (!host_exits_read(vcpu, &exits->host) ||
		    !stats_read(vcpu->stats_fd, vcpu->exits_at[0], &exits->all) || !host_exits_read(vcpu, &host_after))
			return fail(-EPROTO, "KVM's statistics: a value is missing");
	} while (host_after != exits->host && ++tries < SNAPSHOT_TRIES);
	return 0;
}

struct exits exits_since(const struct watched_vcpu *vcpu, const struct exits *now)
{
	struct exits since = { .all = now->all - vcpu->at_seal.all, .host = now->host - vcpu->at_seal.host };

	since.host = MIN(since.host, since.all); /* an exit that was just being handled at the mark */
	return since;
}

void ledger_mark(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->seal.count; i++) {
		struct watched_vcpu *vcpu = &vm->seal.vcpus[i];

		if (exits_read(vcpu, &vcpu->at_seal))
			vcpu->at_seal = (struct exits){ 0 };
		if (vcpu->log)
			exit_log_mark(vcpu->log);
	}
}

void ledger_read(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->seal.count; i++)
		if (vm->seal.vcpus[i].log)
			exit_log_read(vm->seal.vcpus[i].log);
}

static void reason_print(unsigned int vcpu, const char *name, const struct reason_count *entry)
{
	note("vCPU %u: since the seal: %s: %" PRIu64 ", the first at RIP 0x%" PRIx64, vcpu, name, entry->count,
	     entry->first_rip);
}

/* Whose doing it was and where: what someone wants to know who is to make a guest quiet. */
static void reasons_print(unsigned int vcpu, struct exit_log *log)
{
	exit_log_read(log);
	for (size_t i = 0; i < log->vendor->count && i < REASONS_MAX; i++)
		if (log->since_mark[i].count && !log->vendor->reasons[i].host)
			reason_print(vcpu, log->vendor->reasons[i].name, &log->since_mark[i]);
	if (log->since_mark[REASONS_MAX].count)
		reason_print(vcpu, "a reason that has no name here", &log->since_mark[REASONS_MAX]);
	if (log->lost)
		note("vCPU %u: %" PRIu64 " exits came too fast to be told apart", vcpu, log->lost);
}

static void vcpu_print(const struct vm *vm, unsigned int id)
{
	const struct watched_vcpu *vcpu = &vm->seal.vcpus[id];
	struct exits now = { 0 }, since;

	if (exits_read(vcpu, &now))
		return;
	if (!vm->seal.marked) {
		note("vCPU %u: %" PRIu64 " exits, unsealed", id, now.all);
		return;
	}
	since = exits_since(vcpu, &now);
	note("vCPU %u: %" PRIu64 " exits before %s; since: %" PRIu64 " by the host, %" PRIu64 " by the guest", id,
	     vcpu->at_seal.all, vm->seal.settled ? "the seal settled" : "the seal", since.host, since.all - since.host);
	if (vcpu->log)
		reasons_print(id, vcpu->log);
}

void ledger_print(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->seal.count; i++)
		vcpu_print(vm, i);
	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++)
		if (vm->seal.except[kind] && vm->seal.sealed)
			note("exception %s: %" PRIu64 " exits were let through", except_name(kind),
			     exceptions_count(vm, kind));
	if (vm->seal.count && !vm->seal.vcpus[0].log && vm->seal.marked)
		note("exits by reason and by RIP: not to be had without the capability CAP_PERFMON (with Debian's "
		     "kernel.perf_event_paranoid=3, CAP_SYS_ADMIN)");
}
