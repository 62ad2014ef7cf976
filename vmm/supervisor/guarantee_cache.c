// SPDX-License-Identifier: GPL-2.0-only
/* The guarantee about caches and bandwidth: the VM's share is as planned, and its ways are nobody else's. */
#include "vmm/supervisor/guarantees.h"
#include "vmm/supervisor/internal.h"

void guarantee_cache(const struct vm *vm, struct guarantee *row)
{
	const struct cache_group *group = &vm->plan.cache;
	char text[sizeof(row->evidence)];
	pid_t tids[VM_VCPUS_MAX];
	bool held;

	if (group->root < 0) {
		guarantee_set(row, GUARANTEE_HELD, "none asked for: shared with whatever runs beside it");
		return;
	}
	for (unsigned int i = 0; i < vm->seal.count; i++)
		tids[i] = vm->seal.vcpus[i].tid;
	held = cache_evidence(group, tids, vm->seal.count, text, sizeof(text));
	guarantee_set(row, held ? GUARANTEE_HELD : GUARANTEE_NOT_HELD, "%s", text);
}
