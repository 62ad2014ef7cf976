// SPDX-License-Identifier: GPL-2.0-only
/* What the VM needs of the host alone: claimed while it is planned, so that no other can plan with it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "pinning/pinning.h"
#include "sriov/sriov.h"
#include "vmm/supervisor/internal.h"

/* Of a node, or -1. There is no limit to it here: who asks the kernel for them is told what it has. */
static int pages_claim(struct claims *claims, int node, uint64_t page_size, uint64_t bytes, const char *note)
{
	struct claim claim = { .mode = CLAIM_PART, .amount = bytes / page_size, .limit = UINT64_MAX };
	char size[SIZE_TEXT], where[32] = "";

	if (node >= 0)
		snprintf(where, sizeof(where), " node %d", node);
	snprintf(claim.what, sizeof(claim.what), "pages %s%s", size_exact(size, page_size), where);
	snprintf(claim.note, sizeof(claim.note), "%s", note);
	return claims_add(claims, &claim, "memory");
}

static int plan_pages(struct vm_plan *plan, const struct vm_config *cfg)
{
	const struct memory_request rings = rings_request(plan, cfg);
	const struct memory_nodes *nodes = &plan->nodes;
	int err = 0;

	if (!nodes->count)
		err = pages_claim(&plan->claims, -1, plan->page_size, plan->layout.size, "memory");
	for (uint32_t i = 0; !err && i < nodes->count; i++)
		err = pages_claim(&plan->claims, (int)nodes->parts[i].node, plan->page_size,
				  nodes_bytes(nodes, nodes->parts[i].node), "memory");
	if (!err && cfg->rings)
		err = pages_claim(&plan->claims, -1, rings.page_size, rings.layout.size, "rings");
	return err;
}

/* One that is saved is its VM's to the end. If it is gone by now, whoever loads it says so. */
static int image_claim(struct claims *claims, const struct disk_config *disk)
{
	struct claim claim = { .mode = CLAIM_ALONE };
	struct stat st;

	if (!disk->image || disk->save != DISK_SAVE_IMAGE || stat(disk->image, &st))
		return 0;
	snprintf(claim.what, sizeof(claim.what), "image %u:%u %ju", major(st.st_dev), minor(st.st_dev),
		 (uintmax_t)st.st_ino);
	disk_title(disk->image, claim.note, sizeof(claim.note));
	return claims_add(claims, &claim, "disks");
}

static int plan_images(struct vm_plan *plan, const struct vm_config *cfg)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < cfg->ndisks; i++)
		err = image_claim(&plan->claims, &cfg->disks[i]);
	for (unsigned int i = 0; !err && i < cfg->nfunctions; i++)
		err = image_claim(&plan->claims, &cfg->namespaces[i]);
	return err;
}

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
	if (!err)
		err = plan_pages(plan, cfg);
	return err ? err : plan_images(plan, cfg);
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
