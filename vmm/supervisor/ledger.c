// SPDX-License-Identifier: GPL-2.0-only
/* Exits by vCPU and by whose doing they were, from KVM's statistics. */
#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/supervisor/internal.h"

int exits_read(int stats_fd, struct exits *exits)
{
	uint64_t windows;
	int err = stats_value(stats_fd, "exits", &exits->all);

	if (!err)
		err = stats_value(stats_fd, "irq_exits", &exits->host);
	if (!err)
		err = stats_value(stats_fd, "irq_window_exits", &windows);
	if (!err)
		exits->host += windows;
	return err;
}

void ledger_mark(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->seal.count; i++)
		if (exits_read(vm->seal.vcpus[i].stats_fd, &vm->seal.vcpus[i].at_seal))
			vm->seal.vcpus[i].at_seal = (struct exits){ 0 };
}

void ledger_print(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->seal.count; i++) {
		const struct watched_vcpu *vcpu = &vm->seal.vcpus[i];
		uint64_t all, host, eoi;
		struct exits now;

		if (exits_read(vcpu->stats_fd, &now))
			continue;
		if (!vm->seal.asked) {
			note("vCPU %u: %" PRIu64 " exits, unsealed", i, now.all);
			continue;
		}
		all = now.all - vcpu->at_seal.all;
		host = now.host - vcpu->at_seal.host;
		note("vCPU %u: %" PRIu64 " exits before the seal; since: %" PRIu64 " by the host, %" PRIu64
		     " by the guest",
		     i, vcpu->at_seal.all, host, all - host);
		if (vcpu->eoi_fd >= 0 && read(vcpu->eoi_fd, &eoi, sizeof(eoi)) == (ssize_t)sizeof(eoi))
			note("vCPU %u: exception eoi: %" PRIu64 " exits were let through", i, eoi);
	}
}
