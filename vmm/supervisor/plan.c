// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/boot/boot.h"
#include "vmm/supervisor/internal.h"
#include "vmm/x86/kvm_newer.h"

struct boot_request plan_boot_request(const struct vm_config *cfg, uint32_t tsc_khz)
{
	return (struct boot_request){ .kernel = cfg->kernel,
				      .initrd = cfg->initrd,
				      .cmdline = cfg->cmdline,
				      .vcpus = cfg->vcpus,
				      .tsc_khz = tsc_khz };
}

/* Any frequency will do: what is checked doesn't depend on it. */
static int plan_files(const struct vm_config *cfg)
{
	struct boot_request req = plan_boot_request(cfg, 1);

	return boot_check(&req, cfg->memory_size);
}

/* What is required and can be told now; the rest is, when the kernel is asked at the seal. */
static int plan_require(const struct vm_plan *plan, const struct vm_config *cfg)
{
	struct cpus isolated;

	if (!(cfg->require & 1U << GUARANTEE_CORES))
		return 0;
	if (cpus_isolated(&isolated))
		return -EIO;
	for (unsigned int i = 0; i < plan->vcpus; i++)
		if (!cpus_has(&isolated, plan->cores[i]))
			return fail(-ENOTSUP,
				    "require: cores.isolated: core %u isn't: wanted one that is (nohype host apply "
				    "--cores, or isolcpus= at boot)",
				    plan->cores[i]);
	return 0;
}

static int plan_host(struct vm_plan *plan, const struct vm_config *cfg)
{
	int kvm_fd = kvm_open();
	int err;

	if (kvm_fd < 0)
		return kvm_fd;
	err = kvm_read_tsc_khz(kvm_fd, &plan->tsc_khz);
	if (!err)
		err = probe_disable_exits(kvm_fd, &plan->disable_exits);
	if (level_has_tripwire(cfg->seal_level) && ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PRE_FAULT_MEMORY) <= 0)
		plan->touch_step = (uint32_t)MIN(plan->page_size, MIB(2));
	close(kvm_fd);
	if (err)
		return err;
	err = plan_cores(plan, cfg);
	if (!err)
		err = plan_numa(plan);
	return err ? err : plan_require(plan, cfg);
}

/*
 * What a level needs that not every host and user has: found out now, not when the guest has booted. A level that
 * nobody asked for refuses nothing before its guest asks to be sealed.
 */
static int plan_seal(const struct vm_config *cfg)
{
	const char *level = seal_level_name(cfg->seal_level);
	int err;

	if (!level_has_tripwire(cfg->seal_level) || !(cfg->seal_given || cfg->seal_after || cfg->seal_within))
		return 0;
	if (cfg->tripwire == TRIPWIRE_POLLED)
		return 0;
	if (!vendor_of_host())
		return fail(-ENOTSUP,
			    "seal.level: %s: neither kvm_amd nor kvm_intel is loaded here, whose exits are known",
			    level);
	err = tripwire_probe();
	if (err)
		return fail(err,
			    "seal.level: %s: this user can't have what it needs: wanted root or that capability, "
			    "seal.level userspace, or seal.tripwire polled",
			    level);
	return 0;
}

enum exit_code plan_make(struct vm_plan *plan, const struct vm_config *cfg)
{
	memset(plan, 0, sizeof(*plan));
	plan->claims = CLAIMS_NONE;
	plan->functions = FUNCTIONS_NONE;
	plan->cache = CACHE_GROUP_NONE;
	plan->page_size = cfg->page_size;
	plan->vcpus = cfg->vcpus;
	layout_plan(&plan->layout, cfg->memory_size);
	if (plan_files(cfg) || plan_disks(plan, cfg) || plan_namespaces(cfg))
		return EXIT_USAGE;
	plan_nodes(plan, cfg);
	return plan_host(plan, cfg) || plan_seal(cfg) ? EXIT_HOST : EXIT_CLEAN;
}

int vm_check(const struct vm_config *cfg, const struct run_options *opt)
{
	struct memory_request req;
	struct vm_plan plan;
	enum exit_code code = plan_make(&plan, cfg);

	(void)opt;
	if (report_check(cfg))
		code = EXIT_USAGE;
	req = plan_memory_request(&plan, cfg);
	if (code == EXIT_CLEAN && memory_check(&req))
		code = EXIT_HOST;
	req = rings_request(&plan, cfg);
	if (code == EXIT_CLEAN && rings_have_pool(&plan, cfg) && memory_check(&req))
		code = EXIT_HOST;
	plan_release(&plan);
	return (int)code;
}
