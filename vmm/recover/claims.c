// SPDX-License-Identifier: GPL-2.0-only
/* VMs of `nohype run` that were killed: all that tells of them is what they had claimed. */
#include "base/claim.h"
#include "vmm/recover/recover.h"

int recover_claims(struct recovered *recovered, const char *run, const char *root)
{
	struct claim_holders dead;
	int err = claims_bury(&dead, root);

	if (!recovered->lives)
		recovered->lives = json_array();
	for (size_t i = 0; i < dead.count; i++)
		if (!life_was_of(run, dead.list[i].vm, dead.list[i].pid))
			json_array_append_new(recovered->lives,
					      json_pack("{s:s, s:s, s:s}", "vm", dead.list[i].vm, "state", "running",
							"memory", MEMORY_NOT_CLEARED));
	claims_free(&dead);
	return err;
}
