// SPDX-License-Identifier: GPL-2.0-only
/* Huge pages, and what could move or share the guest's memory, or write it to a disk. */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/util.h"
#include "vmm/doctor/internal.h"
#include "vmm/supervisor/proc.h"

#define NODES	     "/sys/devices/system/node"
#define MEMINFO	     "/proc/meminfo"
#define CAP_IPC_LOCK 14 /* linux/capability.h: locks any amount of memory */

long long pages_needed(const struct doctor *doctor, uint64_t size)
{
	const struct vm_config *vm = doctor->vm;

	if (!vm)
		return 1;
	return (long long)((vm->memory_size + size - 1) / size) + (vm->rings && size == MIB(2));
}

static int pages_read_one(const struct doctor *doctor, uint64_t size, const char *file, long long *count)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB/%s", (unsigned long long)(size >> 10),
		 file);
	return number_read(doctor, path, count);
}

long long pages_in_use(const struct doctor *doctor, uint64_t size)
{
	long long all, there, reserved;

	if (pages_read_one(doctor, size, "nr_hugepages", &all) ||
	    pages_read_one(doctor, size, "free_hugepages", &there) ||
	    pages_read_one(doctor, size, "resv_hugepages", &reserved))
		return 0;
	return all - there + reserved;
}

void look_huge_pages(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	uint64_t size = check->only == ONLY_1G ? GIB(1) : MIB(2);
	long long needed = pages_needed(doctor, size), there, reserved;
	int err = number_read(doctor, check->source, &there);

	/* free, and promised to someone who hasn't touched them yet */
	if (!err && !pages_read_one(doctor, size, "resv_hugepages", &reserved))
		there -= reserved;
	if (err == -ENOENT)
		found(finding, doctor->vm ? CHECK_BAD : CHECK_NOTE, "this host has no pages of that size");
	else if (err)
		found_unread(finding, check->source, err);
	else if (there >= needed)
		found(finding, CHECK_OK, "%lld free", there);
	else if (doctor->vm)
		found(finding, CHECK_BAD, "%lld free, and %s wants %lld", there, doctor->vm->name, needed);
	else
		found(finding, check->only == ONLY_1G ? CHECK_NOTE : CHECK_WARN, "%lld free", there);
}

/* The nodes of the cores that matter, and the free huge pages of each. */
struct nodes {
	struct names names;
	uint64_t size; /* bytes of a page */
	long long free, memory;
	unsigned int near; /* nodes of these cores */
	int err;
};

static void node_pages(const struct doctor *doctor, const char *name, void *ctx)
{
	struct nodes *nodes = ctx;
	char path[PATH_SIZE];
	long long count;
	cpu_set_t set;
	int err;

	if (strncmp(name, "node", 4) != 0 || name[4] < '0' || name[4] > '9')
		return;
	snprintf(path, sizeof(path), NODES "/%.32s/cpulist", name);
	err = list_read(doctor, path, &set);
	if (!err && !cores_touch(doctor, &set))
		return;
	if (!err) {
		snprintf(path, sizeof(path), NODES "/%.32s/hugepages/hugepages-%llukB/free_hugepages", name,
			 (unsigned long long)(nodes->size >> 10));
		err = number_read(doctor, path, &count);
	}
	if (err) {
		nodes->err = err;
		return;
	}
	nodes->near++;
	nodes->free = MAX(nodes->free, count);
	name_add(&nodes->names, "%s: %lld", name, count);
}

/* Is there a node of these cores that has enough by itself? */
void look_huge_nodes(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct nodes nodes = { .size = MIB(2) };
	int count;

	if (doctor->vm && doctor->vm->page_size == GIB(1))
		nodes.size = GIB(1);
	count = entries_each(doctor, NODES, node_pages, &nodes);
	if (count < 0 || nodes.err || !nodes.near)
		found_unread(finding, check->source, count < 0 ? count : nodes.err ? nodes.err : -EINVAL);
	else
		found(finding, nodes.free >= pages_needed(doctor, nodes.size) ? CHECK_OK : CHECK_BAD,
		      "free pages of %s: %s", nodes.size == GIB(1) ? "1 GiB" : "2 MiB", names_end(&nodes.names));
}

static bool memory_line(const char *line, void *ctx)
{
	long long *kib = ctx;

	return sscanf(line, "MemAvailable: %lld kB", kib) != 1;
}

/* In tenths of GiB: it changes all the time. */
void look_free_memory(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	uint64_t needed = doctor->vm ? doctor->vm->memory_size : MIB(64);
	long long kib = -1;
	int err = lines_each(doctor, MEMINFO, memory_line, &kib);

	if (err < 0 || kib < 0)
		found_unread(finding, check->source, err < 0 ? err : -EINVAL);
	else
		found(finding, (uint64_t)kib << 10 >= needed ? CHECK_OK : CHECK_BAD, "%.1f GiB available",
		      (double)kib / (double)(GIB(1) >> 10));
}

/* The first line is the table's head. */
static bool swap_line(const char *line, void *ctx)
{
	struct names *swaps = ctx;

	if (line[0] == '/')
		name_add(swaps, "%.*s", (int)MIN(strcspn(line, " \t"), 60), line);
	return true;
}

void look_swap(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names swaps = { 0 };
	int lines = lines_each(doctor, check->source, swap_line, &swaps);

	if (lines < 0)
		found_unread(finding, check->source, lines);
	else if (swaps.count)
		found(finding, CHECK_BAD, "%s", names_end(&swaps));
	else
		found(finding, lines ? CHECK_OK : CHECK_UNKNOWN, lines ? "none" : "/proc/swaps: empty");
}

void look_memlock(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char status[STATUS_MAX];
	struct rlimit limit;
	uint64_t caps = 0;
	bool may_all;

	if (value_read(doctor, "/proc/self/status", status, sizeof(status)) <= 0 ||
	    !status_number(status, "CapEff", 16, &caps) || getrlimit(RLIMIT_MEMLOCK, &limit)) {
		found_unread(finding, check->source, -EINVAL);
		return;
	}
	may_all = caps >> CAP_IPC_LOCK & 1;
	if (may_all || limit.rlim_cur == RLIM_INFINITY)
		found(finding, CHECK_OK, "no limit%s", may_all ? " (CAP_IPC_LOCK)" : "");
	else
		found(finding, doctor->vm && limit.rlim_cur >= doctor->vm->memory_size ? CHECK_OK : CHECK_BAD,
		      "%llu MiB", (unsigned long long)(limit.rlim_cur >> 20));
}

/* AMD: APM vol. 3, CPUID 8000_001Fh, EAX: bit 0 SME, bit 1 SEV. What firmware does by itself (TSME, TME) isn't seen. */
void look_encryption(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	unsigned int eax = 0, ebx, ecx, edx;

	(void)check;
	if (!__get_cpuid(0x8000001f, &eax, &ebx, &ecx, &edx) || !(eax & 1))
		found(finding, CHECK_NOTE, "the processor has no SME; what firmware may encrypt can't be read");
	else
		found(finding, flag_has(doctor, "sme") == 1 ? CHECK_OK : CHECK_NOTE, "SME%s",
		      flag_has(doctor, "sme") == 1 ? "" : ", switched off in the firmware or the kernel");
}

static void controller_count(const struct doctor *doctor, const char *name, void *ctx)
{
	(void)doctor;
	if (strncmp(name, "mc", 2) == 0 && name[2] >= '0' && name[2] <= '9')
		(*(unsigned int *)ctx)++;
}

void look_ecc(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	unsigned int controllers = 0;
	int count = entries_each(doctor, "/sys/devices/system/edac/mc", controller_count, &controllers);

	(void)check;
	if (count < 0 && count != -ENOENT)
		found_unread(finding, check->source, count);
	else if (controllers)
		found(finding, CHECK_OK, "%u memory controllers with error correction", controllers);
	else
		found(finding, CHECK_NOTE, "no controller that reports errors: no ECC, or no driver for it");
}

static void node_has_memory(const struct doctor *doctor, const char *name, void *ctx)
{
	struct nodes *nodes = ctx;
	char path[PATH_SIZE];
	cpu_set_t set, with_memory;

	if (strncmp(name, "node", 4) != 0 || name[4] < '0' || name[4] > '9')
		return;
	snprintf(path, sizeof(path), NODES "/%.32s/cpulist", name);
	if (list_read(doctor, path, &set) || list_read(doctor, NODES "/has_memory", &with_memory)) {
		nodes->err = -EINVAL;
		return;
	}
	if (!cores_touch(doctor, &set))
		return;
	nodes->near++;
	/* nodes are numbered as CPUs are, in a list of the same form */
	if (strtoul(name + 4, NULL, 10) < CPU_SETSIZE && CPU_ISSET(strtoul(name + 4, NULL, 10), &with_memory))
		nodes->memory++;
	else
		name_add(&nodes->names, "%s", name);
}

void look_node_memory(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct nodes nodes = { 0 };
	int count = entries_each(doctor, NODES, node_has_memory, &nodes);

	if (count < 0 || nodes.err || !nodes.near)
		found_unread(finding, check->source, count < 0 ? count : -EINVAL);
	else if (nodes.names.count)
		found(finding, CHECK_BAD, "no memory at the cores of %s", names_end(&nodes.names));
	else
		found(finding, CHECK_OK, "on %u node%s, each with memory", nodes.near, nodes.near == 1 ? "" : "s");
}
