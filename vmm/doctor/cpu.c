// SPDX-License-Identifier: GPL-2.0-only
/* The cores: which they are, and whether they are isolated. */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/doctor/internal.h"

#define CPU_FOLDER   "/sys/devices/system/cpu/"
#define AT_BOOT	     CPU_FOLDER "isolated"
#define BY_PARTITION "/sys/fs/cgroup/cpuset.cpus.isolated"
#define NODES	     "/sys/devices/system/node"
#define LIST_SIZE    80 /* bytes of a list of CPUs for people */

void look_virtualization(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	int svm = flag_has(doctor, "svm"), vmx = flag_has(doctor, "vmx");

	if (svm < 0)
		found_unread(finding, check->source, svm);
	else if (svm || vmx > 0)
		found(finding, CHECK_OK, "%s", svm ? "svm" : "vmx");
	else
		found(finding, CHECK_BAD, "neither vmx nor svm: no virtualization, or off in the firmware");
}

void look_online(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	unsigned int wanted = doctor->vm ? doctor->vm->vcpus : 1;
	char cores[LIST_SIZE], online[LIST_SIZE];
	cpu_set_t here;
	int err = list_read(doctor, check->source, &here);

	list_text(&doctor->cores, cores, sizeof(cores));
	list_text(&here, online, sizeof(online));
	if (err)
		found_unread(finding, check->source, err);
	else if (!cores_within(doctor, &here))
		found(finding, CHECK_BAD, "online are %s, and not all of %s", online, cores);
	else if ((unsigned int)CPU_COUNT(&doctor->cores) < wanted)
		found(finding, CHECK_BAD, "%d cores (%s) for %u vCPUs", CPU_COUNT(&doctor->cores), cores, wanted);
	else
		found(finding, CHECK_OK, "online are %s", online);
}

void look_isolated(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	cpu_set_t at_boot, by_partition, either;
	char first[LIST_SIZE], second[LIST_SIZE];
	int err = list_read(doctor, AT_BOOT, &at_boot);

	(void)check;
	if (err) {
		found_unread(finding, AT_BOOT, err);
		return;
	}
	/* no such file: cgroup v2 isn't mounted, or the kernel is older than 6.7 */
	if (list_read(doctor, BY_PARTITION, &by_partition))
		CPU_ZERO(&by_partition);
	CPU_OR(&either, &at_boot, &by_partition);
	found(finding, cores_within(doctor, &either) ? CHECK_OK : CHECK_BAD, "at boot: %s; by cpuset: %s",
	      list_text(&at_boot, first, sizeof(first)), list_text(&by_partition, second, sizeof(second)));
}

void look_partition(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char text[VALUE_MAX], *rest = text, *word;
	ssize_t len = value_read(doctor, check->source, text, sizeof(text));

	if (len == -ENOENT) {
		found(finding, CHECK_BAD, "cgroup v2 isn't mounted on /sys/fs/cgroup");
		return;
	}
	if (len < 0) {
		found_unread(finding, check->source, (int)len);
		return;
	}
	while ((word = strsep(&rest, " ")))
		if (strcmp(word, "cpuset") == 0) {
			found(finding, CHECK_OK, "cgroup v2 has cpuset");
			return;
		}
	found(finding, CHECK_BAD, "cgroup v2 is there without cpuset: cgroup v1 has it, or the kernel lacks it");
}

void look_nohz_full(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char text[LIST_SIZE];
	cpu_set_t set;
	int err = list_read(doctor, check->source, &set);

	if (err == -ENOENT)
		found(finding, CHECK_BAD, "this kernel is made without CONFIG_NO_HZ_FULL");
	else if (err && value_read(doctor, check->source, text, sizeof(text)) > 0 && strstr(text, "(null)"))
		found(finding, CHECK_BAD, "none"); /* kernels before 6.10, without nohz_full= */
	else if (err)
		found_unread(finding, check->source, err);
	else
		found(finding, cores_within(doctor, &set) ? CHECK_OK : CHECK_BAD, "%s",
		      list_text(&set, text, sizeof(text)));
}

/*
 * A kernel that offloads any CPU's callbacks starts a thread rcuop/N or rcuos/N for every CPU; which of them are used
 * is what it was told when booting (kernel/rcu/tree_nocb.h: rcu_nocbs=, and nohz_full= implies it).
 */
static void offloaded_find(const struct doctor *doctor, const char *name, void *ctx)
{
	char path[PATH_SIZE], comm[64];
	unsigned int cpu;
	char kind;

	if (name[0] < '0' || name[0] > '9')
		return;
	snprintf(path, sizeof(path), "/proc/%.32s/comm", name);
	if (value_read(doctor, path, comm, sizeof(comm)) > 0 && sscanf(comm, "rcuo%c/%u", &kind, &cpu) == 2 &&
	    cpu < CPU_SETSIZE)
		CPU_SET(cpu, (cpu_set_t *)ctx);
}

/* The CPUs that the command line names, and those of nohz_full. */
static void told_read(const struct doctor *doctor, cpu_set_t *told)
{
	char text[VALUE_MAX], *word;
	cpu_set_t named;

	if (list_read(doctor, "/sys/devices/system/cpu/nohz_full", told))
		CPU_ZERO(told);
	if (value_read(doctor, "/proc/cmdline", text, sizeof(text)) <= 0)
		return;
	word = strstr(text, "rcu_nocbs");
	if (!word || (word > text && word[-1] != ' '))
		return;
	word += strlen("rcu_nocbs");
	if (*word != '=' || strncmp(word, "=all", 4) == 0) {
		CPU_OR(told, told, &doctor->online);
		return;
	}
	word++;
	word[strcspn(word, " ")] = '\0';
	if (!list_parse(word, &named))
		CPU_OR(told, told, &named);
}

void look_rcu_nocbs(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	cpu_set_t threads, told;
	char text[LIST_SIZE];
	int count;

	(void)check;
	CPU_ZERO(&threads);
	told_read(doctor, &told);
	count = entries_each(doctor, "/proc", offloaded_find, &threads);
	CPU_AND(&told, &told, &threads);
	if (count < 0)
		found_unread(finding, "/proc", count);
	else
		found(finding, cores_within(doctor, &told) ? CHECK_OK : CHECK_BAD, "%s",
		      list_text(&told, text, sizeof(text)));
}

void look_boot_core(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char text[LIST_SIZE];

	(void)check;
	found(finding, CPU_ISSET(0, &doctor->cores) ? CHECK_BAD : CHECK_OK, "asked about: %s",
	      list_text(&doctor->cores, text, sizeof(text)));
}

/* Nodes whose every core would be taken: nothing is left to look after their memory and devices. */
struct nodes {
	struct names taken;
	unsigned int count, unread;
};

static void node_judge(const struct doctor *doctor, const char *name, void *ctx)
{
	struct nodes *nodes = ctx;
	char path[PATH_SIZE];
	cpu_set_t set, left;

	if (strncmp(name, "node", 4) != 0 || name[4] < '0' || name[4] > '9')
		return;
	snprintf(path, sizeof(path), NODES "/%.32s/cpulist", name);
	if (list_read(doctor, path, &set)) {
		nodes->unread++;
		return;
	}
	CPU_AND(&left, &set, &doctor->others);
	nodes->count++;
	if (cores_touch(doctor, &set) && !CPU_COUNT(&left))
		name_add(&nodes->taken, "%s", name);
}

void look_housekeeping(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct nodes nodes = { 0 };
	char text[LIST_SIZE];
	int count = entries_each(doctor, NODES, node_judge, &nodes);

	if (count < 0 || nodes.unread || !nodes.count)
		found_unread(finding, check->source, count < 0 ? count : -EINVAL);
	else if (!CPU_COUNT(&doctor->others))
		found(finding, CHECK_BAD, "no core is left for the host");
	else if (nodes.taken.count)
		found(finding, CHECK_WARN, "the host keeps none of %s", names_end(&nodes.taken));
	else
		found(finding, CHECK_OK, "the host keeps %s", list_text(&doctor->others, text, sizeof(text)));
}

/* A sibling that is neither asked about nor offline runs on the same core, for someone else. */
void look_siblings(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names strangers = { 0 };
	char path[PATH_SIZE], text[LIST_SIZE];
	cpu_set_t set, alone;
	int err = -ENODEV;

	for (int cpu = core_next(doctor, -1); cpu >= 0; cpu = core_next(doctor, cpu)) {
		snprintf(path, sizeof(path), CPU_FOLDER "cpu%d/topology/thread_siblings_list", cpu);
		err = list_read(doctor, path, &set);
		if (err)
			break;
		CPU_AND(&alone, &set, &doctor->others);
		if (CPU_COUNT(&alone))
			name_add(&strangers, "%d has %s", cpu, list_text(&alone, text, sizeof(text)));
	}
	if (err)
		found_unread(finding, check->source, err);
	else if (strangers.count)
		found(finding, CHECK_BAD, "siblings that are the host's: %s", names_end(&strangers));
	else
		found(finding, CHECK_OK, "no sibling that is the host's");
}

/* AMD's and Intel's manuals, CPUID 8000_0007h, EDX bit 8: the TSC's rate is the same in all power states. */
void look_invariant_tsc(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	unsigned int eax, ebx, ecx, edx = 0;

	(void)doctor;
	(void)check;
	if (!__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx))
		found(finding, CHECK_UNKNOWN, "no CPUID leaf 0x80000007");
	else
		found(finding, edx & (1u << 8) ? CHECK_OK : CHECK_BAD, edx & (1u << 8) ? "invariant" : "not invariant");
}
