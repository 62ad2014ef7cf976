// SPDX-License-Identifier: GPL-2.0-only
#include "pinning/pinning.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define CPU_ONLINE "/sys/devices/system/cpu/online"
#define LIST_MAX   4096 /* bytes of a CPU list in sysfs: one page */

bool cpu_list_next(const char **list, unsigned long *first, unsigned long *last)
{
	char *end;

	if (**list < '0' || **list > '9')
		return false;
	*first = *last = strtoul(*list, &end, 10);
	if (*end == '-')
		*last = strtoul(end + 1, &end, 10);
	*list = *end == ',' ? end + 1 : end;
	return true;
}

static void cpu_list_parse(const char *text, cpu_set_t *set)
{
	unsigned long first, last;

	CPU_ZERO(set);
	while (cpu_list_next(&text, &first, &last))
		for (unsigned long cpu = first; cpu <= last && cpu < CPU_SETSIZE; cpu++)
			CPU_SET(cpu, set);
}

static int cpu_list_read(const char *path, cpu_set_t *set, char *text, size_t size)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return fail(-errno, "%s: %s", path, strerror(errno));
	if (!fgets(text, (int)size, file))
		text[0] = '\0'; /* an empty list is an empty file */
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	cpu_list_parse(text, set);
	return 0;
}

static int cores_check(const unsigned int *wanted, unsigned int nwanted, const cpu_set_t *online, const char *list)
{
	for (unsigned int i = 0; i < nwanted; i++)
		if (wanted[i] >= CPU_SETSIZE || !CPU_ISSET(wanted[i], online))
			return fail(-ENODEV, "cores: %u: no such core is online on this host (it has %s)", wanted[i],
				    list);
	return 0;
}

/* Append cores of @from, highest first, that aren't in @taken yet. */
static void cores_take(const cpu_set_t *from, cpu_set_t *taken, unsigned int vcpus, unsigned int *count,
		       unsigned int *cores)
{
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && *count < vcpus; cpu--) {
		if (!CPU_ISSET(cpu, from) || CPU_ISSET(cpu, taken))
			continue;
		CPU_SET(cpu, taken);
		cores[(*count)++] = (unsigned int)cpu;
	}
}

static int cores_pick(const cpu_set_t *online, unsigned int vcpus, unsigned int *cores)
{
	cpu_set_t isolated, allowed, taken;
	unsigned int count = 0;
	char list[LIST_MAX];

	CPU_ZERO(&taken);
	if (cpu_list_read(CPU_ISOLATED, &isolated, list, sizeof(list)))
		return -EIO;
	CPU_AND(&isolated, &isolated, online);
	cores_take(&isolated, &taken, vcpus, &count, cores);
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return fail(-errno, "cores that this process may use: %s", strerror(errno));
	cores_take(&allowed, &taken, vcpus, &count, cores);
	if (count < vcpus)
		return fail(-ENOSPC, "vcpus: %u: each takes a core of its own, and this host has %u for it", vcpus,
			    count);
	return 0;
}

int cores_choose(const unsigned int *wanted, unsigned int nwanted, unsigned int vcpus, unsigned int *cores)
{
	char list[LIST_MAX];
	cpu_set_t online;
	int err = cpu_list_read(CPU_ONLINE, &online, list, sizeof(list));

	if (err)
		return err;
	if (!nwanted)
		return cores_pick(&online, vcpus, cores);
	err = cores_check(wanted, nwanted, &online, list);
	if (err)
		return err;
	memcpy(cores, wanted, sizeof(*cores) * nwanted);
	return 0;
}
