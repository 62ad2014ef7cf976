// SPDX-License-Identifier: GPL-2.0-only
/* Sets of CPUs: in the kernel's two spellings, and against the cores that matter. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "pinning/pinning.h"
#include "vmm/doctor/internal.h"

#define GROUP_DIGITS 8 /* of a mask: 32 CPUs between two commas */

int list_parse(const char *text, cpu_set_t *set)
{
	unsigned long first, last;

	CPU_ZERO(set);
	while (cpu_list_next(&text, &first, &last))
		for (unsigned long cpu = first; cpu <= last && cpu < CPU_SETSIZE; cpu++)
			CPU_SET(cpu, set);
	return *text ? -EINVAL : 0;
}

static void digit_set(unsigned int digit, unsigned int lowest, cpu_set_t *set)
{
	for (unsigned int bit = 0; bit < 4; bit++)
		if (digit & (1u << bit) && lowest + bit < CPU_SETSIZE)
			CPU_SET(lowest + bit, set);
}

/* From its end, which is CPU 0. */
int mask_parse(const char *text, cpu_set_t *set)
{
	unsigned int cpu = 0, digits = 0;

	CPU_ZERO(set);
	if (!*text)
		return -EINVAL;
	for (const char *at = text + strlen(text); at > text;) {
		char c = *--at;

		if (c == ',' && digits == GROUP_DIGITS) {
			digits = 0;
			continue;
		}
		if (!isxdigit((unsigned char)c) || digits == GROUP_DIGITS)
			return -EINVAL;
		digit_set(isdigit((unsigned char)c) ? (unsigned int)(c - '0')
						    : (unsigned int)(tolower((unsigned char)c) - 'a' + 10),
			  cpu, set);
		cpu += 4;
		digits++;
	}
	return digits ? 0 : -EINVAL;
}

char *list_text(const cpu_set_t *set, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "none");
	for (int cpu = 0; cpu < CPU_SETSIZE && used + 24 < size; cpu++) {
		int first = cpu;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (cpu + 1 < CPU_SETSIZE && CPU_ISSET(cpu + 1, set))
			cpu++;
		used += (size_t)snprintf(text + used, size - used, first == cpu ? "%s%d" : "%s%d-%d", used ? "," : "",
					 first, cpu);
	}
	if (used + 24 >= size)
		snprintf(text + used, size - used, ",...");
	return text;
}

bool cores_touch(const struct doctor *doctor, const cpu_set_t *set)
{
	cpu_set_t both;

	CPU_AND(&both, &doctor->cores, set);
	return CPU_COUNT(&both) > 0;
}

bool cores_within(const struct doctor *doctor, const cpu_set_t *set)
{
	cpu_set_t both;

	CPU_AND(&both, &doctor->cores, set);
	return CPU_EQUAL(&both, &doctor->cores);
}

int core_next(const struct doctor *doctor, int cpu)
{
	while (++cpu < CPU_SETSIZE)
		if (CPU_ISSET(cpu, &doctor->cores) && CPU_ISSET(cpu, &doctor->online))
			return cpu;
	return -1;
}
