// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: any bytes as a configuration file. Whatever is accepted must hold what the header promises.
 * Messages go to standard error: run with -close_fd_mask=2.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "memmap/memmap.h"
#include "vmm/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void config_verify(const struct vm_config *cfg)
{
	require(cfg->name && cfg->kernel && cfg->cmdline);
	require(strlen(cfg->name) >= 1 && strlen(cfg->name) <= VM_NAME_MAX);
	require(cfg->kernel[0] != '\0' && strlen(cfg->cmdline) <= VM_CMDLINE_MAX);
	require(cfg->vcpus >= 1 && cfg->vcpus <= VM_VCPUS_MAX);
	require(cfg->ncores == 0 || cfg->ncores == cfg->vcpus);
	require(cfg->memory_size >= MEMORY_MIN && cfg->memory_size <= MEMORY_MAX && cfg->memory_size % MIB(2) == 0);
	require(cfg->page_size == KIB(4) || cfg->page_size == MIB(2) || cfg->page_size == GIB(1));
	require(cfg->memory_size % cfg->page_size == 0);
	for (unsigned int i = 0; i < cfg->ncores; i++) {
		require(cfg->cores[i] < VM_CORE_LIMIT);
		for (unsigned int j = 0; j < i; j++)
			require(cfg->cores[i] != cfg->cores[j]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vm_config cfg;

	config_init(&cfg);
	if (config_parse(&cfg, (const char *)data, size, "vm.json", "vms") == 0 && config_finish(&cfg, "vm.json") == 0)
		config_verify(&cfg);
	config_free(&cfg);
	return 0;
}
