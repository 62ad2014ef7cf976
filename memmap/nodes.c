// SPDX-License-Identifier: GPL-2.0-only
/* The host's NUMA nodes, as /sys/devices/system/node has them. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "memmap/internal.h"

#define NODES "/sys/devices/system/node"

static uint64_t parts_bytes(const struct memory_part *parts, uint32_t count, unsigned int node)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		if (parts[i].node == node)
			bytes += parts[i].size;
	return bytes;
}

uint64_t nodes_bytes(const struct memory_nodes *nodes, unsigned int node)
{
	return parts_bytes(nodes->parts, nodes->count, node) + parts_bytes(nodes->disks, nodes->ndisks, node);
}

static int64_t node_kib(unsigned int node)
{
	char path[64], key[40];

	snprintf(path, sizeof(path), NODES "/node%u/meminfo", node);
	snprintf(key, sizeof(key), "Node %u MemTotal:", node);
	return kernel_number(path, key);
}

unsigned int nodes_with_memory(unsigned int *nodes, unsigned int max)
{
	unsigned int count = 0;

	for (unsigned int node = 0; node < MEMORY_NODE_NUMBER && count < max; node++)
		if (node_kib(node) > 0)
			nodes[count++] = node;
	return count;
}

/* "0, 1" */
static void nodes_list(char *text, size_t size)
{
	unsigned int nodes[MEMORY_NODES_MAX], count = nodes_with_memory(nodes, MEMORY_NODES_MAX);
	size_t used = 0;

	snprintf(text, size, "none");
	for (unsigned int i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u", i ? ", " : "", nodes[i]);
}

int node_check(unsigned int node)
{
	char path[64], has[128];
	int64_t kib = node_kib(node);

	if (kib > 0)
		return 0;
	nodes_list(has, sizeof(has));
	snprintf(path, sizeof(path), NODES "/node%u", node);
	if (kib == 0 || !access(path, F_OK))
		return fail(-EINVAL, "memory.nodes: %u: that node has no memory: wanted one that has: %s", node, has);
	return fail(-EINVAL, "memory.nodes: %u: this host has no such node: wanted one with memory: %s", node, has);
}

int node_of_cpu(unsigned int cpu)
{
	const struct dirent *entry;
	unsigned int node;
	int found = -1;
	char path[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u", cpu);
	folder = opendir(path);
	while (folder && found < 0 && (entry = readdir(folder)))
		if (sscanf(entry->d_name, "node%u", &node) == 1)
			found = (int)node;
	if (folder)
		closedir(folder);
	return found;
}

/* Its file has one number for each node that is online, in their order. */
unsigned int node_distance(unsigned int from, unsigned int to)
{
	unsigned int distance = 0, node = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), NODES "/node%u/distance", from);
	file = fopen(path, "re");
	if (!file)
		return 0;
	for (; node <= to && node < MEMORY_NODE_NUMBER; node++) {
		snprintf(path, sizeof(path), NODES "/node%u", node);
		if (!access(path, F_OK) && fscanf(file, "%u", &distance) != 1)
			break;
	}
	fclose(file);
	return node > to ? distance : 0;
}
