// SPDX-License-Identifier: GPL-2.0-only
/* VMs of `nohype run` that were killed: all that tells of them is what they had claimed. */
#include "base/claim.h"
#include "vmm/recover/recover.h"

int recover_claims(struct recovered *recovered, const char *run, const char *root, const char *state, const char *who)
{
	struct claim_holders dead;
	int err = claims_bury(&dead, root);

	for (size_t i = 0; i < dead.count; i++) {
		const struct claim_holder *holder = &dead.list[i];
		struct fate fate;

		if (life_was_of(run, holder->vm, holder->pid))
			continue;
		fate_find(&fate, state, holder->vm, holder->pid, who);
		err = err ? err : fate.err;
		recovered_add(recovered, holder->vm, "running", &fate);
	}
	claims_free(&dead);
	return err;
}
