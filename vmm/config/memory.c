// SPDX-License-Identifier: GPL-2.0-only
/* memory.nodes, memory.reserve, memory.folder, memory.clear */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "vmm/config/parse.h"

#define NODE_TEXT 40 /* bytes: "1023:18446744073709551615G" */

static int node_add(struct vm_config *cfg, unsigned int number, uint64_t size)
{
	if (cfg->nnodes == VM_NODES_MAX)
		return -ERANGE;
	for (unsigned int i = 0; i < cfg->nnodes; i++)
		if (cfg->nodes[i].node == number)
			return -EEXIST;
	cfg->nodes[cfg->nnodes++] = (struct vm_node){ number, size };
	return 0;
}

/* "1" or "1:2G" of @len bytes. */
static int node_parse(struct vm_config *cfg, const char *text, size_t len)
{
	size_t digits = strspn(text, "0123456789");
	char word[NODE_TEXT];
	unsigned int number;
	uint64_t size = 0;

	if (len >= sizeof(word) || digits == 0 || digits > 4 || digits > len)
		return -EINVAL;
	snprintf(word, sizeof(word), "%.*s", (int)len, text);
	if (sscanf(word, "%u", &number) != 1 || number >= VM_NODE_LIMIT)
		return -EINVAL;
	if (digits < len && (word[digits] != ':' || size_parse(word + digits + 1, &size) || !size))
		return -EINVAL;
	return node_add(cfg, number, size);
}

static int node_refuse(int err, const struct place *at, const json_t *value)
{
	if (err == -EEXIST)
		return complain(at, value, "a node is there twice: wanted each once");
	if (err == -ERANGE)
		return complain(at, value, "wanted at most %d nodes", VM_NODES_MAX);
	return refuse(at, value);
}

static int nodes_from_text(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = json_string_value(value);

	if (strlen(text) != json_string_length(value))
		return refuse(at, value);
	for (;; text++) {
		size_t len = strcspn(text, ",");
		int err = node_parse(cfg, text, len);

		if (err)
			return node_refuse(err, at, value);
		text += len;
		if (*text == '\0')
			return 0;
	}
}

static int node_from_element(struct vm_config *cfg, const json_t *value)
{
	json_int_t n = json_integer_value(value);
	const char *text = json_string_value(value);

	if (json_is_integer(value))
		return n < 0 || n >= VM_NODE_LIMIT ? -EINVAL : node_add(cfg, (unsigned int)n, 0);
	if (!text || strlen(text) != json_string_length(value))
		return -EINVAL;
	return node_parse(cfg, text, strlen(text));
}

int set_memory_nodes(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	struct place element = { .src = at->src, .up = at, .known = at->known };
	int result = 0;

	cfg->nnodes = 0;
	if (json_is_string(value))
		return nodes_from_text(cfg, value, at);
	if (!json_is_array(value) || json_array_size(value) == 0)
		return refuse(at, value);
	for (; element.nth < json_array_size(value); element.nth++) {
		const json_t *one = json_array_get(value, element.nth);
		int err = node_from_element(cfg, one);

		if (err)
			result = node_refuse(err, &element, one);
	}
	return result;
}

int set_memory_reserve(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	if (!json_is_boolean(value))
		return refuse(at, value);
	cfg->memory_reserve = json_is_true(value);
	return 0;
}

/* A line of a record tells of it. */
int set_memory_folder(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *path = string_get(value, at);

	if (!path)
		return -EINVAL;
	if (*path != '/' || strlen(path) >= MEMORY_FOLDER_MAX)
		return refuse(at, value);
	for (const char *p = path; *p; p++)
		if (iscntrl((unsigned char)*p))
			return refuse(at, value);
	return string_keep(&cfg->memory_folder, strdup(path));
}

int set_memory_clear(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "sample") != 0 && strcmp(text, "verify") != 0))
		return refuse(at, value);
	cfg->clear_verify = *text == 'v';
	return 0;
}

/* Sizes of all nodes or of none, whole pages, and together the memory's. Without sizes: equal shares. */
static int nodes_agree(const struct vm_config *cfg, const char *where)
{
	uint64_t each = MAX(cfg->page_size, MIB(2)), sum = 0;
	unsigned int given = 0;

	for (unsigned int i = 0; i < cfg->nnodes; i++) {
		given += cfg->nodes[i].size != 0;
		if (cfg->nodes[i].size % each)
			return fail(-EINVAL, "%s: memory.nodes: node %u: wanted a multiple of %lluM", where,
				    cfg->nodes[i].node, (unsigned long long)(each >> 20));
		if (__builtin_add_overflow(sum, cfg->nodes[i].size, &sum))
			return fail(-EINVAL, "%s: memory.nodes: more than there can be", where);
	}
	if (given && given != cfg->nnodes)
		return fail(-EINVAL, "%s: memory.nodes: some with a size and some without: wanted all or none", where);
	if (given && sum != cfg->memory_size)
		return fail(-EINVAL, "%s: memory.nodes: %lluM together: wanted memory.size, %lluM", where,
			    (unsigned long long)(sum >> 20), (unsigned long long)(cfg->memory_size >> 20));
	if (cfg->nnodes && cfg->memory_size / each < cfg->nnodes)
		return fail(-EINVAL, "%s: memory.nodes: %u nodes: wanted at least %lluM for each", where, cfg->nnodes,
			    (unsigned long long)(each >> 20));
	return 0;
}

int memory_agrees(const struct vm_config *cfg, const char *where)
{
	if (cfg->memory_reserve && cfg->page_size == KIB(4))
		return fail(-EINVAL,
			    "%s: memory.reserve: true: there is nothing to reserve with memory.page_size 4K: wanted 2M "
			    "or 1G",
			    where);
	if (cfg->memory_folder && cfg->page_size == KIB(4))
		return fail(-EINVAL,
			    "%s: memory.folder: files there are of huge pages: wanted memory.page_size 2M or 1G",
			    where);
	if (cfg->memory_folder && cfg->rings && cfg->page_size == GIB(1))
		return fail(-EINVAL,
			    "%s: memory.folder: rings are of pages of 2M, for which there is no folder with "
			    "memory.page_size 1G: wanted 2M, or no rings",
			    where);
	return nodes_agree(cfg, where);
}
