// SPDX-License-Identifier: GPL-2.0-only
/* What the host has of memory, and what to do where it has too little. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "memmap/internal.h"

#define ASKED_TEXT 96

const char *size_exact(char text[SIZE_TEXT], uint64_t bytes)
{
	static const char units[] = "KMGT";
	uint64_t n = bytes >> 10;
	int unit = 0;

	while (n && n % 1024 == 0 && units[unit + 1]) {
		n /= 1024;
		unit++;
	}
	snprintf(text, SIZE_TEXT, "%" PRIu64 "%c", n, units[unit]);
	return text;
}

/* Rounded down, for people: "23 GiB". */
static const char *size_rough(char text[SIZE_TEXT], uint64_t bytes)
{
	if (bytes >= GIB(10))
		snprintf(text, SIZE_TEXT, "%" PRIu64 " GiB", bytes >> 30);
	else
		snprintf(text, SIZE_TEXT, "%" PRIu64 " MiB", bytes >> 20);
	return text;
}

/* The whole, or what is to be on @node: without the rings, which may be on any. */
static uint64_t size_on(const struct memory_request *req, int node)
{
	return node < 0 ? req->layout.size : nodes_bytes(&req->nodes, (unsigned int)node);
}

static uint64_t wanted_on(const struct memory_request *req, int node)
{
	return size_on(req, node) + (node < 0 ? req->rings : 0);
}

/* Without its disks. */
static uint64_t ram_on(const struct memory_request *req, int node)
{
	uint64_t bytes = size_on(req, node);

	if (node < 0)
		return layout_ram(&req->layout);
	for (uint32_t i = 0; i < req->nodes.ndisks; i++)
		if ((int)req->nodes.disks[i].node == node)
			bytes -= req->nodes.disks[i].size;
	return bytes;
}

/* What was asked for: `memory.size: "512M"`, `memory.size: "512M" and disks of "1G"`; or of a node. */
static const char *asked_print(char text[ASKED_TEXT], const struct memory_request *req, int node)
{
	const char *key = node >= 0 ? "memory.nodes" : req->key ? req->key : "memory.size";
	uint64_t all = size_on(req, node), ram = ram_on(req, node);
	char size[SIZE_TEXT], disks[SIZE_TEXT];

	size_exact(size, ram);
	if (ram == all)
		snprintf(text, ASKED_TEXT, "%s: \"%s\"", key, size);
	else
		snprintf(text, ASKED_TEXT, "%s: \"%s\" and disks of \"%s\"", key, size, size_exact(disks, all - ram));
	if (node < 0 && req->rings)
		strcat(text, " and rings");
	return text;
}

int64_t kernel_number(const char *path, const char *key)
{
	char line[256];
	int64_t number = -1;
	FILE *file = fopen(path, "re");

	if (!file)
		return -1;
	while (number < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), "%" SCNd64, &number) != 1)
			number = -1;
	fclose(file);
	return number;
}

void hugepage_path(char *path, size_t size, int node, uint64_t page_size, const char *name)
{
	if (node < 0)
		snprintf(path, size, "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s", page_size >> 10, name);
	else
		snprintf(path, size, "/sys/devices/system/node/node%d/hugepages/hugepages-%" PRIu64 "kB/%s", node,
			 page_size >> 10, name);
}

int64_t hugepage_number(int node, uint64_t page_size, const char *name)
{
	char path[128];

	hugepage_path(path, sizeof(path), node, page_size, name);
	return kernel_number(path, "");
}

bool hugepages_count(unsigned int node, uint64_t page_size, uint64_t *all, uint64_t *free)
{
	int64_t there = hugepage_number((int)node, page_size, "nr_hugepages");

	*all = (uint64_t)MAX(there, 0);
	*free = (uint64_t)MAX(hugepage_number((int)node, page_size, "free_hugepages"), 0);
	return there >= 0;
}

/* Without what others were promised: which of the nodes' pages that will be is not known, so of a node none of it. */
static int64_t unclaimed(int node, uint64_t page_size)
{
	int64_t free = hugepage_number(node, page_size, "free_hugepages");

	if (node < 0)
		free -= hugepage_number(-1, page_size, "resv_hugepages");
	return MAX(free, 0);
}

/* What to do about too few huge pages; the caller knows why it happened. */
static int fail_hugepages(const struct memory_request *req, int node)
{
	uint64_t wanted = wanted_on(req, node) / req->page_size;
	int64_t total = MAX(hugepage_number(node, req->page_size, "nr_hugepages"), 0);
	uint64_t free = (uint64_t)unclaimed(node, req->page_size);
	char asked[ASKED_TEXT], page[SIZE_TEXT], path[128], host[32];

	hugepage_path(path, sizeof(path), node, req->page_size, "nr_hugepages");
	snprintf(host, sizeof(host), node < 0 ? "this host" : "node %d", node);
	return fail(-ENOMEM,
		    "%s: wants %" PRIu64 " huge pages of %s: %s has %" PRId64 ", %" PRIu64
		    " of them free: reserve more with "
		    "`echo %" PRIu64 " >%s`",
		    asked_print(asked, req, node), wanted, size_exact(page, req->page_size), host, total, free,
		    (uint64_t)total + wanted - MIN(wanted, free), path);
}

static int64_t memory_available(void)
{
	int64_t kib = kernel_number("/proc/meminfo", "MemAvailable:");

	return kib < 0 ? -1 : kib << 10;
}

/* A node has no such estimate: what is free, and what files take that can go. */
static int64_t node_available(int node)
{
	char path[64], free_key[40], file_key[40];
	int64_t free, file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	snprintf(free_key, sizeof(free_key), "Node %d MemFree:", node);
	snprintf(file_key, sizeof(file_key), "Node %d Inactive(file):", node);
	free = kernel_number(path, free_key);
	file = kernel_number(path, file_key);
	return free < 0 ? -1 : (free + MAX(file, 0)) << 10;
}

static int64_t available_on(int node)
{
	return node < 0 ? memory_available() : node_available(node);
}

static int fail_memory(const struct memory_request *req, int node, int64_t available)
{
	char asked[ASKED_TEXT], has[SIZE_TEXT], host[32];

	size_rough(has, (uint64_t)MAX(available, 0));
	snprintf(host, sizeof(host), node < 0 ? "this host" : "node %d", node);
	return fail(-ENOMEM, "%s: more than %s has free (%s)", asked_print(asked, req, node), host, has);
}

int fail_no_pages(const struct memory_request *req, int node)
{
	if (req->page_size == KIB(4))
		return fail_memory(req, node, available_on(node));
	return fail_hugepages(req, node);
}

int check_page_size(const struct memory_request *req)
{
	char asked[ASKED_TEXT], page[SIZE_TEXT];

	size_exact(page, req->page_size);
	for (uint32_t i = 0; i < req->layout.count; i++)
		if (req->layout.ranges[i].size % req->page_size)
			return fail(-EINVAL, "%s: not a multiple of its pages' size (%s)", asked_print(asked, req, -1),
				    page);
	if (req->page_size != KIB(4) && hugepage_number(-1, req->page_size, "nr_hugepages") < 0)
		return fail(-ENOTSUP, "memory.page_size: \"%s\": this host has no huge pages of that size", page);
	return 0;
}

/* Of this much free memory, pages of 4 KiB, or huge pages that will be made of it. */
static int check_memory(const struct memory_request *req, int node)
{
	int64_t available = available_on(node);

	if (available < 0 || wanted_on(req, node) <= (uint64_t)available)
		return 0;
	return fail_memory(req, node, available);
}

/* Said before a page is taken: running out half way makes the kernel kill processes instead. */
int check_available(const struct memory_request *req)
{
	int err = 0;

	if (req->page_size != KIB(4))
		return 0;
	for (uint32_t i = 0; !err && i < req->nodes.count; i++)
		err = check_memory(req, (int)req->nodes.parts[i].node);
	return err ? err : check_memory(req, -1);
}

/* Pages that no one has a claim on, and those that the kernel may make beyond its pool. */
static int check_pool(const struct memory_request *req, int node)
{
	int64_t surplus = hugepage_number(-1, req->page_size, "nr_overcommit_hugepages") -
			  hugepage_number(-1, req->page_size, "surplus_hugepages");

	if (wanted_on(req, node) / req->page_size <= (uint64_t)(unclaimed(node, req->page_size) + MAX(surplus, 0)))
		return 0;
	return fail_hugepages(req, node);
}

static int check_hugepages(const struct memory_request *req)
{
	int (*check)(const struct memory_request *req, int node) = req->reserve ? check_memory : check_pool;
	int err = 0;

	if (req->page_size == KIB(4))
		return 0;
	for (uint32_t i = 0; !err && i < req->nodes.count; i++)
		err = check(req, (int)req->nodes.parts[i].node);
	return err ? err : check(req, -1);
}

int memory_check(const struct memory_request *req)
{
	int err = check_page_size(req);

	if (!err)
		err = check_available(req);
	if (!err && req->place.folder)
		err = folder_check(req);
	return err ? err : check_hugepages(req);
}
