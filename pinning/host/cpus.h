/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_HOST_CPUS_H
#define PINNING_HOST_CPUS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sets of CPUs as the kernel's files have them. cpu_set_t ends at 1024, and hosts don't: this is CONFIG_NR_CPUS'
 * largest value on x86 (arch/x86/Kconfig, NR_CPUS_RANGE_END).
 */
#define CPUS_MAX 8192

struct cpus {
	uint64_t words[CPUS_MAX / 64];
};

void cpus_add(struct cpus *set, unsigned int cpu);
bool cpus_has(const struct cpus *set, unsigned int cpu);
bool cpus_empty(const struct cpus *set);
bool cpus_equal(const struct cpus *a, const struct cpus *b);
bool cpus_within(const struct cpus *inner, const struct cpus *outer);
bool cpus_meet(const struct cpus *a, const struct cpus *b);
unsigned int cpus_count(const struct cpus *set);

/* @out may be @a or @b. */
void cpus_and(struct cpus *out, const struct cpus *a, const struct cpus *b);
void cpus_without(struct cpus *out, const struct cpus *a, const struct cpus *b);
void cpus_or(struct cpus *out, const struct cpus *a, const struct cpus *b);

/* "0-3,7" (empty: none) or "f,ffffffff", both up to a newline or the end. -EINVAL: neither. Report nothing. */
int cpus_from_list(struct cpus *set, const char *text);
int cpus_from_mask(struct cpus *set, const char *text);

/* The same in the kernel's forms, malloced; NULL: no memory. */
char *cpus_to_list(const struct cpus *set);
char *cpus_to_mask(const struct cpus *set);

/* The list in the file @path into @set; negative errno, unreported. */
int cpus_read(struct cpus *set, const char *path);

#endif
