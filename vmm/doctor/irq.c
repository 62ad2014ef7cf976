// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts, and what the kernel hands from CPU to CPU. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/doctor/internal.h"

#define IRQ_FOLDER "/proc/irq"
#define NET_FOLDER "/sys/class/net"
#define LIST_SIZE  80

void look_default_affinity(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char text[LIST_SIZE];
	cpu_set_t set;
	int err = mask_read(doctor, check->source, &set);

	if (err)
		found_unread(finding, check->source, err);
	else
		found(finding, cores_touch(doctor, &set) ? CHECK_BAD : CHECK_OK, "%s",
		      list_text(&set, text, sizeof(text)));
}

void look_workqueues(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	look_default_affinity(doctor, check, finding);
}

/* Interrupts that come to cores that matter: those that can be moved, and those that the kernel keeps there. */
struct interrupts {
	struct names movable, managed;
	unsigned int looked;
	int err;
};

static void device_name(const struct doctor *doctor, const char *name, void *ctx)
{
	char *text = ctx, path[PATH_SIZE + 64];

	/* an interrupt's folder has files, and a folder for each of its handlers (kernel/irq/proc.c) */
	snprintf(path, sizeof(path), IRQ_FOLDER "/%.16s/%.64s/.", text, name);
	if (path_exists(doctor, path))
		snprintf(text + strlen(text) + 1, 32, "%.31s", name);
}

/*
 * Mode 0444: nobody can move it, as its driver has spread its interrupts over the CPUs (kernel/irq/proc.c,
 * register_irq_proc(), from 6.11 on).
 */
static bool is_managed(const struct doctor *doctor, const char *irq)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "proc/irq/%.16s/smp_affinity", irq);
	return !fstatat(doctor->root, path, &st, 0) && !(st.st_mode & S_IWUSR);
}

static void interrupt_judge(const struct doctor *doctor, const char *irq, void *ctx)
{
	struct interrupts *all = ctx;
	char path[PATH_SIZE], text[64] = "";
	cpu_set_t set;
	int err;

	if (irq[0] < '0' || irq[0] > '9')
		return;
	snprintf(path, sizeof(path), IRQ_FOLDER "/%.16s/effective_affinity_list", irq);
	err = list_read(doctor, path, &set);
	/* an interrupt may go away while we look */
	if (err && err != -ENOENT)
		all->err = err;
	if (err)
		return;
	all->looked++;
	if (!cores_touch(doctor, &set))
		return;
	snprintf(path, sizeof(path), IRQ_FOLDER "/%.16s", irq);
	snprintf(text, 17, "%.16s", irq);
	entries_each(doctor, path, device_name, text);
	name_add(is_managed(doctor, irq) ? &all->managed : &all->movable, "%s (%s)", text,
		 text[strlen(text) + 1] ? text + strlen(text) + 1 : "no handler");
}

/* False: it can't be told, and the finding says so. */
static bool interrupts_read(const struct doctor *doctor, struct interrupts *all, struct finding *finding)
{
	int count;

	*all = (struct interrupts){ 0 };
	count = entries_each(doctor, IRQ_FOLDER, interrupt_judge, all);
	if (count >= 0 && all->looked && !all->err)
		return true;
	found_unread(finding, IRQ_FOLDER "/*/effective_affinity_list",
		     count < 0	? count
		     : all->err ? all->err
				: -EINVAL);
	return false;
}

void look_affinity(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct interrupts all;

	(void)check;
	if (!interrupts_read(doctor, &all, finding))
		return;
	if (all.movable.count)
		found(finding, CHECK_BAD, "come to these cores: %s", names_end(&all.movable));
	else
		found(finding, CHECK_OK, "none that can be moved comes to these cores");
}

/* isolcpus=managed_irq: the kernel keeps them off isolated cores as long as a device has other queues. */
static bool managed_kept_off(const struct doctor *doctor)
{
	char text[VALUE_MAX], *word;

	if (value_read(doctor, "/proc/cmdline", text, sizeof(text)) < 0)
		return false;
	word = strstr(text, "isolcpus=");
	if (!word)
		return false;
	word[strcspn(word, " \n")] = '\0';
	return strstr(word, "managed_irq") != NULL;
}

void look_managed(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	bool kept_off = managed_kept_off(doctor);
	struct interrupts all;

	(void)check;
	if (!interrupts_read(doctor, &all, finding))
		return;
	if (!all.managed.count)
		found(finding, kept_off ? CHECK_OK : CHECK_NOTE,
		      kept_off ? "isolcpus has managed_irq" : "none here, and isolcpus without managed_irq");
	else
		found(finding, kept_off ? CHECK_OK : CHECK_BAD, "%s: only if these cores use the device: %s",
		      kept_off ? "isolcpus has managed_irq" : "isolcpus without managed_irq", names_end(&all.managed));
}

static void irqbalance_find(const struct doctor *doctor, const char *name, void *ctx)
{
	char path[PATH_SIZE], comm[64];

	if (name[0] < '0' || name[0] > '9')
		return;
	snprintf(path, sizeof(path), "/proc/%.32s/comm", name);
	if (value_read(doctor, path, comm, sizeof(comm)) > 0 && strcmp(comm, "irqbalance") == 0)
		*(int *)ctx = atoi(name);
}

/* Its environment, where the list is, is for root. */
void look_irqbalance(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	int pid = 0, count = entries_each(doctor, "/proc", irqbalance_find, &pid);

	(void)check;
	if (count < 0)
		found_unread(finding, "/proc", count);
	else if (pid)
		found(finding, CHECK_BAD, "runs, as process %d: it moves interrupts by its own rules", pid);
	else
		found(finding, CHECK_OK, "doesn't run");
}

/* --- packets --- */

struct queues {
	struct names names;
	const char *kind, *file, *interface;
	unsigned int looked;
};

static void queue_judge(const struct doctor *doctor, const char *name, void *ctx)
{
	struct queues *queues = ctx;
	char path[PATH_SIZE];
	cpu_set_t set;

	if (strncmp(name, queues->kind, strlen(queues->kind)) != 0)
		return;
	snprintf(path, sizeof(path), NET_FOLDER "/%.64s/queues/%.32s/%s", queues->interface, name, queues->file);
	/* a device with one queue has none to choose, and says ENOENT */
	if (mask_read(doctor, path, &set))
		return;
	queues->looked++;
	if (cores_touch(doctor, &set))
		name_add(&queues->names, "%.16s %.8s", queues->interface, name);
}

static void interface_judge(const struct doctor *doctor, const char *name, void *ctx)
{
	struct queues *queues = ctx;
	char path[PATH_SIZE];

	queues->interface = name;
	snprintf(path, sizeof(path), NET_FOLDER "/%.64s/queues", name);
	entries_each(doctor, path, queue_judge, queues);
}

static void queues_look(const struct doctor *doctor, struct queues *queues, enum check_status bad,
			struct finding *finding)
{
	int count = entries_each(doctor, NET_FOLDER, interface_judge, queues);

	if (count < 0)
		found_unread(finding, NET_FOLDER, count);
	else if (queues->names.count)
		found(finding, bad, "%s", names_end(&queues->names));
	else
		found(finding, CHECK_OK, "none of %u queues that could", queues->looked);
}

void look_rps(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct queues queues = { .kind = "rx-", .file = "rps_cpus" };

	(void)check;
	queues_look(doctor, &queues, CHECK_BAD, finding);
}

/* A queue is used by these cores only if something there sends, so it is to be known, not wrong. */
void look_xps(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct queues queues = { .kind = "tx-", .file = "xps_cpus" };

	(void)check;
	queues_look(doctor, &queues, CHECK_NOTE, finding);
}
