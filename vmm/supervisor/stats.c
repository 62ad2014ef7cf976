// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's own counters by KVM_GET_STATS_FD (Documentation/virt/kvm/api.rst, 4.133): a header, descriptors with names,
 * and 64-bit values. Reading them interrupts nobody.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/supervisor/seal.h"

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

int stats_find(int fd, const char *name, uint64_t *at)
{
	struct kvm_stats_header head;
	union {
		struct kvm_stats_desc desc;
		char bytes[sizeof(struct kvm_stats_desc) + NAME_MAX_SANE];
	} one;
	int err = stats_read_header(fd, &head);
	size_t size;

	if (err)
		return err;
	size = sizeof(struct kvm_stats_desc) + head.name_size;
	for (uint32_t i = 0; i < head.num_desc; i++) {
		if (pread(fd, &one, size, (off_t)(head.desc_offset + i * size)) != (ssize_t)size)
			return stats_refuse("a descriptor is missing");
		one.bytes[size - 1] = '\0';
		if (strcmp(one.desc.name, name) == 0) {
			*at = head.data_offset + one.desc.offset;
			return 0;
		}
	}
	return -ENOENT;
}

int stats_value(int fd, const char *name, uint64_t *value)
{
	uint64_t at = 0;
	int err = stats_find(fd, name, &at);

	if (err == -ENOENT)
		return fail(err, "KVM's statistics: no counter \"%s\" on this kernel", name);
	if (err)
		return err;
	if (pread(fd, value, sizeof(*value), (off_t)at) != (ssize_t)sizeof(*value))
		return stats_refuse("a value is missing");
	return 0;
}
