// SPDX-License-Identifier: GPL-2.0-only
/* What the VM needs of the host alone: claimed while it is planned, so that no other can plan with it. */
#include <errno.h>

#include "pinning/pinning.h"
#include "sriov/sriov.h"
#include "vmm/supervisor/internal.h"

int plan_cores(struct vm_plan *plan, const struct vm_config *cfg)
{
	unsigned int nodes[VM_NODES_MAX];
	struct placement placement = { .wanted = cfg->cores,
				       .nwanted = cfg->ncores,
				       .vcpus = cfg->vcpus,
				       .smt = cfg->smt,
				       .function_node = near_functions("/sys", cfg->functions, cfg->nfunctions),
				       .memory_nodes = nodes,
				       .nmemory_nodes = cfg->nnodes };
	struct topology topology;
	int err = topology_read(&topology, NULL);

	for (unsigned int i = 0; i < cfg->nnodes; i++)
		nodes[i] = cfg->nodes[i].node;
	placement.topology = &topology;
	if (!err)
		err = placement_host(&placement);
	/* from here on others wait */
	if (!err)
		err = claims_begin(&plan->claims, cfg->name);
	if (!err)
		err = cores_choose(&placement, &plan->claims, plan->cores, &plan->beside);
	topology_free(&topology);
	if (!err)
		err = plan_functions(plan, cfg);
	if (!err)
		err = plan_cache(plan, cfg);
	return err;
}

enum exit_code plan_claim(struct vm_plan *plan)
{
	int err = claims_commit(&plan->claims);

	return err == -EBUSY ? EXIT_HOST : err ? EXIT_ERROR : EXIT_CLEAN;
}

void plan_release(struct vm_plan *plan)
{
	cache_close(&plan->cache);
	claims_release(&plan->claims);
}
