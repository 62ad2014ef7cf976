// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's own counters by KVM_GET_STATS_FD (Documentation/virt/kvm/api.rst, 4.133): a header, descriptors with names,
 * and 64-bit values. Reading them interrupts nobody.
 */
#include "vmm/supervisor/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define NAME_MAX_SANE 256  /* bytes of a counter's name */
#define COUNT_SANE    1024 /* counters */

static int stats_refuse(const char *why)
{
	return fail(-EPROTO, "KVM's statistics: %s", why);
}

static int stats_read_header(int fd, struct kvm_stats_header *head)
{
	if (pread(fd, head, sizeof(*head), 0) != (ssize_t)sizeof(*head))
		return stats_refuse("no header");
	if (head->name_size == 0 || head->name_size > NAME_MAX_SANE || head->num_desc > COUNT_SANE)
		return stats_refuse("a header that can't be");
	return 0;
}

int stats_each(int fd, stats_visit_fn *visit, void *ctx)
{
	struct kvm_stats_header head;
	int err = stats_read_header(fd, &head);
	size_t size, all;
	char *block;

	if (err)
		return err;
	size = sizeof(struct kvm_stats_desc) + head.name_size;
	all = size * head.num_desc;
	block = malloc(all);
	if (!block)
		return fail(-ENOMEM, "KVM's statistics: no memory for their names");
	if (pread(fd, block, all, head.desc_offset) != (ssize_t)all)
		err = stats_refuse("a descriptor is missing");
	for (size_t at = 0; !err && at < all; at += size) {
		const struct kvm_stats_desc *desc = (const struct kvm_stats_desc *)(block + at);

		block[at + size - 1] = '\0';
		visit(desc, head.data_offset + desc->offset, ctx);
	}
	free(block);
	return err;
}

struct search {
	const char *const *names;
	size_t count;
	uint64_t *at; /* UINT64_MAX: not found */
};

static void search_visit(const struct kvm_stats_desc *desc, uint64_t at, void *ctx)
{
	const struct search *search = ctx;

	for (size_t i = 0; i < search->count; i++)
		if (strcmp(desc->name, search->names[i]) == 0)
			search->at[i] = at;
}

int stats_find(int fd, const char *const *names, size_t count, uint64_t *at)
{
	struct search search = { .names = names, .count = count, .at = at };
	int err;

	for (size_t i = 0; i < count; i++)
		at[i] = UINT64_MAX;
	err = stats_each(fd, search_visit, &search);
	for (size_t i = 0; !err && i < count; i++)
		if (at[i] == UINT64_MAX)
			err = fail(-ENOENT, "KVM's statistics: no counter \"%s\" on this kernel", names[i]);
	return err;
}

bool stats_read(int fd, uint64_t at, uint64_t *value)
{
	return pread(fd, value, sizeof(*value), (off_t)at) == (ssize_t)sizeof(*value);
}
