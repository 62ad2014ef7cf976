/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_DOCTOR_INTERNAL_H
#define VMM_DOCTOR_INTERNAL_H

#include <sys/types.h>

#include "vmm/doctor/doctor.h"

#define VALUE_MAX 4096 /* bytes of a small file of the kernel's: one page */
#define PATH_SIZE 320

/* --- read.c: what all readers use; paths are absolute, and looked up below doctor->root. Nothing is reported. --- */

/* Open for reading; -errno. Never waits. */
int path_open(const struct doctor *doctor, const char *path);
bool path_exists(const struct doctor *doctor, const char *path);

/*
 * All of a small file, without the white space at its end; what is more than @size (VALUE_MAX is enough for what the
 * kernel writes) is left out. Its length, or negative errno.
 */
ssize_t value_read(const struct doctor *doctor, const char *path, char *text, size_t size);

/* A whole number and nothing else; -EINVAL, or as value_read. */
int number_read(const struct doctor *doctor, const char *path, long long *number);

/* A list as "0-3,7" or a mask as "ff,00000003" and nothing else. -EINVAL, or as value_read. An empty list is one. */
int list_read(const struct doctor *doctor, const char *path, cpu_set_t *set);
int mask_read(const struct doctor *doctor, const char *path, cpu_set_t *set);
int list_parse(const char *text, cpu_set_t *set);
int mask_parse(const char *text, cpu_set_t *set);

/* "0-3,7", or "none"; returns @text. */
char *list_text(const cpu_set_t *set, char *text, size_t size);

/* Is one of doctor->cores in @set? Are all? */
bool cores_touch(const struct doctor *doctor, const cpu_set_t *set);
bool cores_within(const struct doctor *doctor, const cpu_set_t *set);

/* The cores that matter and are online: the next one after @cpu (-1: the first), or -1. */
int core_next(const struct doctor *doctor, int cpu);

/* Each entry of a folder but those that begin with a dot, in no order. -errno, or how many. */
typedef void entry_fn(const struct doctor *doctor, const char *name, void *ctx);
int entries_each(const struct doctor *doctor, const char *path, entry_fn *entry, void *ctx);

/* Each line of a file of any size; false from @line ends it. -errno, or how many. */
typedef bool line_fn(const char *line, void *ctx);
int lines_each(const struct doctor *doctor, const char *path, line_fn *line, void *ctx);

/* Is the word in the processor's flags? -errno if that can't be told. */
int flag_has(const struct doctor *doctor, const char *flag);

/* --- finding: all text becomes printable --- */

void found(struct finding *finding, enum check_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void found_unread(struct finding *finding, const char *path, int err);

/* Names, as they are met: "eth0, eth1 and 3 more". */
struct names {
	char text[160];
	unsigned int count, left_out;
};
void name_add(struct names *names, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *names_end(struct names *names);

/* --- value.c --- */

/* Does @text (of which a choice in brackets, "[always] never", is the value) say what "0 or 2", "10 or more" wants? */
bool value_wanted(const char *text, const char *wanted);

/* The value itself: what is in brackets, or all. */
void value_chosen(char *text);

/* memory.c: huge pages of this size, in bytes, that are someone's; 0 if that can't be told. */
long long pages_in_use(const struct doctor *doctor, uint64_t size);

/* How many of this size the VM needs, its rings' with them; without a VM one is enough to be useful. */
long long pages_needed(const struct doctor *doctor, uint64_t size);

/* --- the readers, by group --- */

look_fn look_value;
look_fn look_kvm_param, look_unrestricted;
look_fn look_device, look_module, look_api, look_cap, look_disable_exits, look_guest, look_tracepoint, look_sigtrap;
look_fn look_kernel, look_nx_huge_pages, look_virt_at_load, look_ipiv, look_bare_metal, look_kvm_user, look_apicv,
	look_halt_poll;
look_fn look_virtualization, look_online, look_isolated, look_partition, look_nohz_full, look_rcu_nocbs;
look_fn look_boot_core, look_housekeeping, look_siblings, look_tick_device, look_invariant_tsc, look_governor;
look_fn look_idle_states, look_watchdog, look_fair_server, look_machine_check, look_split_lock, look_tasks,
	look_rt_throttling;
look_fn look_default_affinity, look_affinity, look_managed, look_irqbalance, look_workqueues, look_rps, look_xps;
look_fn look_huge_pages, look_huge_nodes, look_free_memory, look_swap, look_memlock, look_encryption, look_ecc;
look_fn look_node_memory;
look_fn look_iommu, look_iommu_tables, look_groups, look_remapping, look_posting, look_acs, look_domain_types;
look_fn look_vfio, look_sriov;
look_fn look_resctrl, look_resctrl_info, look_shared_cache;
look_fn look_vulnerabilities, look_microcode, look_landlock, look_seccomp;

#endif
