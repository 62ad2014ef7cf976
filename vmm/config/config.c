// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/config/parse.h"
#include "vmm/core/handoff.h"

void config_init(struct vm_config *cfg)
{
	*cfg = (struct vm_config){ .memory_size = MIB(512),
				   .page_size = KIB(4),
				   .vcpus = 1,
				   .seal_level = SEAL_STRICT,
				   .seal_settle = 1000,
				   .beat_abort = true,
				   .watch_every = 5000,
				   .restart = { .delay = 1000, .limit = 5 } };
}

void config_free(struct vm_config *cfg)
{
	free(cfg->name);
	free(cfg->kernel);
	free(cfg->initrd);
	free(cfg->cmdline);
	free(cfg->report);
	free(cfg->memory_folder);
	disks_free(cfg);
	namespaces_free(cfg);
	config_init(cfg);
}

bool name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len >= 1 && len <= VM_NAME_MAX && strspn(name, allowed) == len && !strchr("._-", name[0]);
}

/* "path/web.json" is the VM "web"; what can't be a name is "vm". */
static char *name_from(const char *where)
{
	const char *slash = strrchr(where, '/'), *base = slash ? slash + 1 : where;
	size_t len = strlen(base), suffix = strlen(".json");
	char *name;

	if (len > suffix && strcmp(base + len - suffix, ".json") == 0)
		len -= suffix;
	name = strndup(base, len);
	if (!name || name_is_valid(name))
		return name;
	free(name);
	return strdup("vm");
}

static int fill_defaults(struct vm_config *cfg, const char *where)
{
	if (!cfg->name)
		cfg->name = name_from(where);
	if (!cfg->cmdline)
		cfg->cmdline = strdup("");
	if (!cfg->name || !cfg->cmdline)
		return fail(-ENOMEM, "no memory for the configuration");
	if (cfg->ncores && !cfg->vcpus_given)
		cfg->vcpus = cfg->ncores;
	if (cfg->beat_every && !cfg->rings_given)
		cfg->rings = true;
	return 0;
}

/* What the seal's keys can't mean together. */
static int seal_agrees(const struct vm_config *cfg, const char *where)
{
	int err = 0;

	if (cfg->seal_after && cfg->seal_within && cfg->seal_after > cfg->seal_within)
		err = fail(-EINVAL,
			   "%s: seal.after: later than seal.within, which would end the guest before: wanted one of "
			   "them, or an earlier one",
			   where);
	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++) {
		if (cfg->except[kind] && cfg->seal_level == SEAL_SILENT)
			err = fail(-EINVAL,
				   "%s: seal.except.%s: wanted none at seal.level silent, which lets none through",
				   where, except_name(kind));
		else if (cfg->except[kind] && cfg->tripwire == TRIPWIRE_POLLED)
			err = fail(-EINVAL,
				   "%s: seal.except.%s: wanted none with seal.tripwire polled: KVM's statistics don't "
				   "tell one kind of exit from another",
				   where, except_name(kind));
	}
	return err;
}

int config_finish(struct vm_config *cfg, const char *where)
{
	int err = fill_defaults(cfg, where);

	if (err)
		return err;
	if (!cfg->kernel)
		err = fail(-EINVAL, "%s: kernel: missing: wanted the path of a kernel image (or option -k)", where);
	if (cfg->ncores && cfg->ncores != cfg->vcpus)
		err = fail(-EINVAL,
			   "%s: vcpus: %u: cores names %u host CPUs: wanted one for each vCPU, or vcpus left out",
			   where, cfg->vcpus, cfg->ncores);
	if (cfg->memory_size % cfg->page_size)
		err = fail(-EINVAL, "%s: memory.size: %lluM: wanted a multiple of memory.page_size, 1G", where,
			   (unsigned long long)(cfg->memory_size / MIB(1)));
	if (memory_agrees(cfg, where) || disks_agree(cfg, where) || functions_agree(cfg, where) ||
	    cache_agrees(cfg, where) || namespaces_agree(cfg, where))
		err = -EINVAL;
	if (cfg->beat_every && !cfg->rings)
		err = fail(-EINVAL, "%s: rings: false: heartbeat goes through them: wanted true, or no heartbeat",
			   where);
	return seal_agrees(cfg, where) ? -EINVAL : err;
}
