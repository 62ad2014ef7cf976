// SPDX-License-Identifier: GPL-2.0-only
/* The guarantees about what the host has given: cores, memory, and memory's place in KVM's tables. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "pinning/host/host.h"
#include "pinning/pinning.h"
#include "vmm/supervisor/guarantees.h"
#include "vmm/supervisor/internal.h"
#include "vmm/supervisor/proc.h"

#define COMPACT "/proc/sys/vm/compact_unevictable_allowed"

/* The first line of a file of the kernel's. False: it can't be read. */
static bool line_read(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	if (!fgets(line, (int)size, file))
		line[0] = '\0';
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* The core that a thread may run on, if it is one alone, or -1; @list is what the kernel says. */
static int core_of(pid_t pid, pid_t tid, char *list, size_t size)
{
	char status[STATUS_MAX];
	unsigned int core;
	int end = 0;

	snprintf(list, size, "?");
	if (status_read(pid, tid, status) || !status_line(status, "Cpus_allowed_list", list, size))
		return -1;
	return sscanf(list, "%u%n", &core, &end) == 1 && list[end] == '\0' ? (int)core : -1;
}

/* Numbers for people: "1,2,5", cut where there is no more room. */
static void cores_list(const struct vm *vm, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned int i = 0; i < vm->seal.count && used + 16 < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u", i ? "," : "", vm->plan.cores[i]);
	if (used + 16 >= size)
		snprintf(text + used, size - used, ",...");
}

/* The cores that are isolated, at boot or by a partition, and the same for people, cut where there is no more room. */
static bool isolated_list(struct cpus *set, char *text, size_t size)
{
	char *list = cpus_isolated(set) ? NULL : cpus_to_list(set);

	snprintf(text, size, "%s", !list ? "?" : *list ? list : "none");
	free(list);
	return list != NULL;
}

/* A thread beside the VM's that no other VM may have, but the host runs on. */
static bool siblings_are_hosts(const struct vm *vm, const struct cpus *isolated, char *text, size_t size)
{
	struct cpus hosts;
	char *list;

	cpus_without(&hosts, &vm->plan.beside, isolated);
	if (cpus_empty(&hosts))
		return false;
	list = cpus_to_list(&hosts);
	snprintf(text, size, "%s", list ? list : "?");
	free(list);
	return true;
}

/* The kernel lets a thread run anywhere when its only core goes (kernel/sched/core.c, select_fallback_rq()). */
static bool is_offline(unsigned int core)
{
	struct cpus online;

	return !cpus_read(&online, CPU_ONLINE) && !cpus_has(&online, core);
}

void guarantee_cores(const struct vm *vm, struct guarantee *row)
{
	char list[128], mine[96], isolated[96], siblings[96];
	struct cpus set;
	bool known = isolated_list(&set, isolated, sizeof(isolated));

	for (unsigned int i = 0; i < vm->seal.count; i++) {
		int core = core_of(vm->core_pid, vm->seal.vcpus[i].tid, list, sizeof(list));

		if (*list == '?') {
			guarantee_set(row, GUARANTEE_NOT_HAD, "vCPU %u: where it may run can't be read", i);
			return;
		}
		if (core < 0 || (unsigned int)core != vm->plan.cores[i]) {
			guarantee_set(row, GUARANTEE_NOT_HELD, "vCPU %u may run on %s, and was given core %u%s", i,
				      list, vm->plan.cores[i],
				      is_offline(vm->plan.cores[i]) ? ", which is offline" : "");
			return;
		}
		if (known && !cpus_has(&set, (unsigned int)core)) {
			guarantee_set(row, GUARANTEE_NOT_HELD,
				      "vCPU %u is on core %d alone, but the host puts others there: isolated are %s", i,
				      core, isolated);
			return;
		}
	}
	cores_list(vm, mine, sizeof(mine));
	if (!known)
		guarantee_set(row, GUARANTEE_NOT_HAD, "each vCPU on one core, %s, but which are isolated can't be read",
			      mine);
	else if (siblings_are_hosts(vm, &set, siblings, sizeof(siblings)))
		guarantee_set(row, GUARANTEE_NOT_HELD,
			      "each vCPU is on one core, %s, but the host runs on the other threads of their physical "
			      "cores: isolated are %s, and not %s",
			      mine, isolated, siblings);
	else
		guarantee_set(row, GUARANTEE_HELD, "each vCPU may run on one core: %s; isolated: %s", mine, isolated);
}

/* What the core manager has mapped of the guest's memory, and how much of all that it has mapped is locked. */
static int memory_look(const struct vm *vm, struct mapped_file *mapped, uint64_t *locked)
{
	char path[32], status[STATUS_MAX];
	struct stat st;
	uint64_t kib;
	FILE *file;
	int err;

	if (fstat(vm->memory.fd, &st))
		return -errno;
	err = status_read(vm->core_pid, vm->core_pid, status);
	if (err)
		return err;
	*locked = status_number(status, "VmLck", 10, &kib) ? kib << 10 : 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)vm->core_pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	err = smaps_sum(file, st.st_dev, st.st_ino, mapped);
	fclose(file);
	return err;
}

static const char *page_name(uint64_t size)
{
	return size >= GIB(1) ? "1 GiB" : size >= MIB(2) ? "2 MiB" : "4 KiB";
}

/* Pages of 4 KiB stay where they are only if they are locked and the kernel doesn't move what is. */
static void small_pages_judge(const struct mapped_file *mapped, uint64_t locked, struct guarantee *row)
{
	char compact[16] = "unknown";

	line_read(COMPACT, compact, sizeof(compact));
	if (locked >= mapped->size && strcmp(compact, "0") == 0)
		guarantee_set(row, GUARANTEE_HELD,
			      "%" PRIu64 " MiB in 4 KiB pages, size locked, %" PRIu64
			      " MiB locked; vm.compact_unevictable_allowed is 0",
			      mapped->size >> 20, locked >> 20);
	else
		guarantee_set(
			row, GUARANTEE_NOT_HELD,
			"4 KiB pages, %" PRIu64 " of %" PRIu64
			" MiB locked: the host may move them, which ends a strict guest; wanted huge pages, or all "
			"locked and vm.compact_unevictable_allowed=0 (it is %s)",
			locked >> 20, mapped->size >> 20, compact);
}

/* "on node 0, in 3 contiguous pieces": as it was when it was allocated, and such pages stay. */
static void placement_text(const struct memory_placement *placement, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (uint32_t i = 0; i < placement->count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u",
					 i			? ","
					 : placement->count > 1 ? ", on nodes "
								: ", on node ",
					 placement->nodes[i].node);
	if (placement->runs && used < size)
		snprintf(text + used, size - used, ", in %" PRIu64 " contiguous piece%s", placement->runs,
			 placement->runs == 1 ? "" : "s");
}

static const char opens_unknown[] = "whether the core manager has its file open can't be told";

/* A file with a name has no seals: so none of the VM's own, which could be won, may have it open. */
static const char *size_is_open(const struct vm *vm)
{
	const char *resizable = memory_resizable(&vm->memory);
	struct stat st;
	int opens;

	if (resizable || !vm->memory.file)
		return resizable;
	opens = fstat(vm->memory.fd, &st) ? -errno : process_opens(vm->core_pid, st.st_dev, st.st_ino);
	if (opens < 0)
		return opens_unknown;
	return opens ? "the core manager has its file open, and could change its size" : NULL;
}

void guarantee_memory(const struct vm *vm, struct guarantee *row)
{
	uint64_t size = vm->plan.layout.size, locked = 0;
	struct mapped_file mapped;
	char places[128];
	int err = memory_look(vm, &mapped, &locked);
	const char *resizable = size_is_open(vm);

	placement_text(&vm->memory.placement, places, sizeof(places));
	if (err)
		guarantee_set(row, GUARANTEE_NOT_HAD, "/proc/%d/smaps of the core manager: %s", (int)vm->core_pid,
			      strerror(-err));
	else if (resizable)
		guarantee_set(row, resizable == opens_unknown ? GUARANTEE_NOT_HAD : GUARANTEE_NOT_HELD, "%s",
			      resizable);
	else if (mapped.size != size || mapped.resident < size)
		guarantee_set(row, GUARANTEE_NOT_HELD,
			      "%" PRIu64 " of %" PRIu64 " MiB are mapped by the core manager, %" PRIu64 " MiB there",
			      mapped.size >> 20, size >> 20, mapped.resident >> 20);
	else if (mapped.page_size < MIB(2))
		small_pages_judge(&mapped, locked, row);
	else
		guarantee_set(row, GUARANTEE_HELD, "%" PRIu64 " MiB in %s pages, all there, %s%s; such pages stay",
			      size >> 20, page_name(mapped.page_size),
			      vm->memory.file ? "in a file that root alone can open, and the core manager has not"
					      : "size locked",
			      places);
}

void guarantee_pages(const struct vm *vm, struct guarantee *row)
{
	uint64_t counts[PAGE_KINDS], mapped, size = vm_mapped_size(vm);
	char kinds[96] = "";
	size_t used = 0;

	if (pages_read(vm->seal.vm_stats_fd, counts, &mapped)) {
		guarantee_set(row, GUARANTEE_NOT_HAD, "KVM on this host doesn't count its pages");
		return;
	}
	for (size_t i = 0; i < PAGE_KINDS; i++)
		if (counts[i])
			used += (size_t)snprintf(kinds + used, sizeof(kinds) - used, "%s%" PRIu64 " of %s",
						 used ? ", " : ": ", counts[i], page_name(page_kinds[i].size));
	if (mapped < size)
		guarantee_set(row, GUARANTEE_NOT_HELD,
			      "%" PRIu64 " of %" PRIu64 " MiB in KVM's tables%s; the first use of the rest is an exit",
			      mapped >> 20, size >> 20, kinds);
	else
		guarantee_set(row, GUARANTEE_HELD, "%" PRIu64 " of %" PRIu64 " MiB in KVM's tables%s", mapped >> 20,
			      size >> 20, kinds);
}
