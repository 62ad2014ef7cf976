// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/parse.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "memmap/memmap.h"

/* The string that @value is, or NULL, reported. No NUL is in it, since all of these end up in C strings. */
const char *string_get(const json_t *value, const struct place *at)
{
	const char *text = json_string_value(value);

	if (!text) {
		refuse(at, value);
		return NULL;
	}
	if (strlen(text) != json_string_length(value)) {
		complain(at, value, "wanted text without a NUL character");
		return NULL;
	}
	return text;
}

int string_keep(char **owned, char *copy)
{
	if (!copy)
		return fail(-ENOMEM, "no memory for the configuration");
	free(*owned);
	*owned = copy;
	return 0;
}

static int set_schema(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	(void)cfg;
	return string_get(value, at) ? 0 : -EINVAL;
}

static int set_name(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *name = string_get(value, at);

	if (!name)
		return -EINVAL;
	if (!name_is_valid(name))
		return refuse(at, value);
	return string_keep(&cfg->name, strdup(name));
}

int set_path(char **owned, const json_t *value, const struct place *at)
{
	const char *path = string_get(value, at), *folder = at->src->folder;
	char *joined;

	if (!path)
		return -EINVAL;
	if (*path == '\0')
		return refuse(at, value);
	if (*path == '/')
		folder = "";
	if (strlen(folder) + strlen(path) + 1 >= PATH_MAX)
		return complain(at, value, "wanted a path of less than %d bytes", PATH_MAX);
	if (asprintf(&joined, "%s%s%s", folder, *folder ? "/" : "", path) < 0)
		joined = NULL;
	return string_keep(owned, joined);
}

static int set_kernel(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_path(&cfg->kernel, value, at);
}

static int set_initrd(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_path(&cfg->initrd, value, at);
}

static int set_report(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_path(&cfg->report, value, at);
}

static int set_cmdline(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *cmdline = string_get(value, at);

	if (!cmdline)
		return -EINVAL;
	if (strlen(cmdline) > VM_CMDLINE_MAX)
		return complain(at, value, "%zu bytes: wanted at most %d", strlen(cmdline), VM_CMDLINE_MAX);
	for (const char *p = cmdline; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return complain(at, value, "wanted one line without control characters");
	}
	return string_keep(&cfg->cmdline, strdup(cmdline));
}

static int set_vcpus(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	json_int_t n = json_integer_value(value); /* 0 for all that is no whole number */

	if (n < 1 || n > VM_VCPUS_MAX)
		return refuse(at, value);
	cfg->vcpus = (unsigned int)n;
	cfg->vcpus_given = true;
	return 0;
}

static int set_memory_size(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);
	uint64_t size;
	int err;

	if (!text)
		return -EINVAL;
	err = size_parse(text, &size);
	if (err == -EINVAL)
		return refuse(at, value);
	if (err || size < MEMORY_MIN || size > MEMORY_MAX)
		return complain(at, value, "wanted %dM to %dG", (int)(MEMORY_MIN / MIB(1)), (int)(MEMORY_MAX / GIB(1)));
	if (size % MIB(2))
		return complain(at, value, "wanted a multiple of 2M");
	cfg->memory_size = size;
	return 0;
}

static int set_page_size(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	static const struct {
		const char *name;
		uint64_t size;
	} sizes[] = { { "4K", KIB(4) }, { "2M", MIB(2) }, { "1G", GIB(1) } };
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (strcmp(text, sizes[i].name) == 0) {
			cfg->page_size = sizes[i].size;
			return 0;
		}
	}
	return refuse(at, value);
}

static int set_smt(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	static const char *const names[] = {
		[SMT_EXCLUDE] = "exclude", [SMT_WHOLE_CORE] = "whole-core", [SMT_SHARE] = "share"
	};
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			cfg->smt = (enum smt)i;
			return 0;
		}
	}
	return refuse(at, value);
}

static int set_seal_level(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);
	unsigned int level;

	if (!text)
		return -EINVAL;
	level = seal_level_find(text);
	if (!level)
		return refuse(at, value);
	cfg->seal_level = level;
	cfg->seal_given = true;
	return 0;
}

static int set_duration(uint64_t *ms, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	return duration_parse(text, ms) ? refuse(at, value) : 0;
}

static int set_seal_within(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_duration(&cfg->seal_within, value, at);
}

static int set_seal_after(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_duration(&cfg->seal_after, value, at);
}

static int set_seal_settle(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_duration(&cfg->seal_settle, value, at);
}

static int set_tripwire(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	if (strcmp(text, "kernel") != 0 && strcmp(text, "polled") != 0)
		return refuse(at, value);
	cfg->tripwire = *text == 'k' ? TRIPWIRE_KERNEL : TRIPWIRE_POLLED;
	return 0;
}

/* "ADDRESS:WORDS", the address in hexadecimal with 0x. */
static int set_evidence(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);
	unsigned long long gpa;
	unsigned int words;
	size_t digits;

	if (!text)
		return -EINVAL;
	digits = strncmp(text, "0x", 2) == 0 ? strspn(text + 2, "0123456789abcdefABCDEF") : 0;
	/* sscanf alone would take spaces and signs, and saturate */
	if (digits < 1 || digits > 16 || text[2 + digits] != ':' ||
	    strspn(text + 3 + digits, "0123456789") != strlen(text + 3 + digits) || strlen(text + 3 + digits) > 2 ||
	    sscanf(text, "%llx:%u", &gpa, &words) != 2 || words < 1 || words > VM_EVIDENCE_MAX ||
	    gpa % sizeof(uint64_t))
		return refuse(at, value);
	cfg->evidence_gpa = gpa;
	cfg->evidence_words = words;
	return 0;
}

#define DURATION "a time as \"500ms\", \"30s\" or \"5m\" (a whole number from 1 on and ms, s, m or h; at most a week)"

#define RATE "true, false, or a rate as \"1000/s\" (1 to 1000000)"

/* Every key that a file can hold. schemas/vm.schema.json describes the same ones; a test compares. */
static const struct key keys[] = {
	{ "$schema", set_schema, "the schema's address" },
	{ "name", set_name, "1 to 64 letters, digits, \".\", \"_\" or \"-\", the first a letter or a digit" },
	{ "kernel", set_kernel, "the path of a kernel image" },
	{ "initrd", set_initrd, "the path of an initrd" },
	{ "cmdline", set_cmdline, "the guest's command line, as \"console=ttyS0\"" },
	{ "vcpus", set_vcpus, "a whole number from 1 to 255", .number = true },
	{ "cores", set_cores, "\"auto\", host CPU numbers as [1, 3], or a list as \"1,3-5\"" },
	{ "smt", set_smt, "\"exclude\", \"whole-core\" or \"share\"" },
	{ "memory", NULL, "an object with size, page_size, nodes, reserve, folder and clear" },
	{ "memory.size", set_memory_size, "a size as \"512M\" or \"2G\" (a whole number and K, M, G or T)" },
	{ "memory.page_size", set_page_size, "\"4K\", \"2M\" or \"1G\"" },
	{ "memory.nodes", set_memory_nodes,
	  "NUMA nodes as [0, 1] or \"0,1\", or with their sizes as [\"0:1G\", \"1:3G\"] or \"0:1G,1:3G\"" },
	{ "memory.reserve", set_memory_reserve, "true or false" },
	{ "memory.folder", set_memory_folder,
	  "the path of a folder in a hugetlbfs mount, as \"/dev/hugepages/nohype\" (from / on, of less than 512 bytes, "
	  "on one line)" },
	{ "memory.clear", set_memory_clear, "\"sample\" or \"verify\"" },
	{ "seal", NULL, "an object with level, within, after, settle, tripwire, except and evidence" },
	{ "seal.level", set_seal_level, "\"audit\", \"userspace\", \"strict\" or \"silent\"" },
	{ "seal.within", set_seal_within, DURATION },
	{ "seal.after", set_seal_after, DURATION },
	{ "seal.settle", set_seal_settle, DURATION },
	{ "seal.tripwire", set_tripwire, "\"kernel\" or \"polled\"" },
	{ "seal.evidence", set_evidence, "ADDRESS:WORDS as \"0x5000:4\" (a multiple of 8; 1 to 64 words)" },
	{ "seal.except", NULL, "an object with eoi, cpuid and ipi" },
	{ "seal.except.eoi", set_except_eoi, RATE },
	{ "seal.except.cpuid", set_except_cpuid, RATE },
	{ "seal.except.ipi", set_except_ipi, RATE },
	{ "require", set_require,
	  "\"all\", or names of guarantees as [\"cores.isolated\"]: cores.isolated, memory.fixed, memory.mapped, "
	  "devices.gone, exits.fatal, calls.filtered, functions.own or cache.own" },
	{ "disks", set_disks, "an array of at most 4 disks, as [{ \"pmem\": { \"image\": \"root.img\" } }]" },
	{ "disks.pmem", NULL, "an object with image, size, format, save and save_after" },
	{ "disks.pmem.image", set_disk_image, "the path of an image" },
	{ "disks.pmem.size", set_disk_size, "a size as \"512M\" or \"2G\" (a whole number and K, M, G or T)" },
	{ "disks.pmem.format", set_disk_format,
	  "\"raw\", \"gzip\", \"xz\", \"zstd\", \"qcow2\", \"vdi\", \"vhdx\" or \"vhd\"" },
	{ "disks.pmem.save", set_disk_save, "\"never\", \"on-stop\" or the path of a file" },
	{ "disks.pmem.save_after", set_disk_save_after, "\"clean\" or \"any\"" },
	{ "functions", set_functions, "an array of at most 4 functions, as [{ \"network\": { \"pf\": \"enp1s0\" } }]" },
	{ "functions.network", NULL, "an object with pf, mac, vlan, rate, spoof_check, trust and link" },
	{ "functions.network.pf", set_function_pf, "a network card's interface, as \"enp1s0\", or its address" },
	{ "functions.network.mac", set_function_mac, "\"auto\" or an address as \"52:54:00:12:34:56\"" },
	{ "functions.network.vlan", set_function_vlan, "a whole number from 0 (none) to 4094", .number = true },
	{ "functions.network.rate", set_function_rate, "a rate as \"1Gbit\" or \"250Mbit\"" },
	{ "functions.network.spoof_check", set_function_spoof_check, "true or false" },
	{ "functions.network.trust", set_function_trust, "true or false" },
	{ "functions.network.link", set_function_link, "\"auto\", \"up\" or \"down\"" },
	{ "functions.nvme", NULL, "an object with controller, image, format, save, save_after and clear" },
	{ "functions.nvme.controller", set_function_controller, "an NVMe controller, as \"nvme0\", or its address" },
	{ "functions.nvme.image", set_disk_image, "the path of an image" },
	{ "functions.nvme.format", set_disk_format,
	  "\"raw\", \"gzip\", \"xz\", \"zstd\", \"qcow2\", \"vdi\", \"vhdx\" or \"vhd\"" },
	{ "functions.nvme.save", set_disk_save, "\"never\", \"on-stop\" or the path of a file" },
	{ "functions.nvme.save_after", set_disk_save_after, "\"clean\" or \"any\"" },
	{ "functions.nvme.clear", set_function_clear,
	  "\"auto\", \"write-zeroes\", \"format\", \"sanitize\" or \"overwrite\"" },
	{ "functions.pci", set_function_pci, "a PCI function's address, as \"0000:03:10.1\"" },
	{ "l3", set_l3, "a share of the L3 cache as \"4 ways\" or \"25%\"" },
	{ "l2", set_l2, "a share of the L2 caches as \"2 ways\" or \"25%\"" },
	{ "memory_bandwidth", set_memory_bandwidth, "a share as \"20%\" or \"500MB/s\"" },
	{ "cache_exclusive", set_cache_exclusive, "true or false" },
	{ "report", set_report, "the path of a file" },
	{ "restart", NULL, "an object with policy, delay, limit and after_violation" },
	{ "restart.policy", set_restart_policy, "\"never\", \"on-failure\" or \"always\"" },
	{ "restart.delay", set_restart_delay, DURATION },
	{ "restart.limit", set_restart_limit, "a whole number from 1 to 1000" },
	{ "restart.after_violation", set_restart_after_violation, "true or false" },
	{ "rings", set_rings, "true or false" },
	{ "heartbeat", set_heartbeat, "an object with every, missing and then" },
	{ "heartbeat.every", set_heartbeat_every, DURATION },
	{ "heartbeat.missing", set_heartbeat_missing, "a whole number from 1 to 1000" },
	{ "heartbeat.then", set_heartbeat_then, "\"abort\" or \"report\"" },
	{ "watch", NULL, "an object with every and then" },
	{ "watch.every", set_watch_every, "a time as \"5s\" or \"1m\" (a whole number and s, m or h; at most a week)" },
	{ "watch.then", set_watch_then, "\"abort\" or \"report\"" },
};

const struct key *key_at(unsigned int i)
{
	return i < ARRAY_SIZE(keys) ? &keys[i] : NULL;
}

const struct key *key_find(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].path, path) == 0)
			return &keys[i];
	}
	return NULL;
}

const char *config_key(unsigned int i)
{
	return i < ARRAY_SIZE(keys) ? keys[i].path : NULL;
}
