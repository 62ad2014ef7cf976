// SPDX-License-Identifier: GPL-2.0-only
/*
 * The header of a qcow2 image, before qemu-img sees it: such an image can name other files that are to be read with it,
 * and whoever writes an image must not choose which. QEMU's docs/interop/qcow2.txt, "Header".
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/util.h"
#include "disks/internal.h"

#define NAME_MAX_BYTES	      1023 /* of a backing file */
#define FEATURE_EXTERNAL_DATA (1ULL << 2)

struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t backing_offset;
	uint32_t backing_len;
	uint32_t cluster_bits;
	uint64_t size;
	uint32_t crypt_method;
	uint32_t l1_size;
	uint64_t l1_offset;
	uint64_t refcount_offset;
	uint32_t refcount_clusters;
	uint32_t snapshots;
	uint64_t snapshots_offset;
	uint64_t incompatible; /* from version 3 on */
} __attribute__((packed));

_Static_assert(offsetof(struct header, incompatible) == 72, "as the specification has it");

static int fail_backing(const struct disk_image *image, const struct header *header)
{
	char name[NAME_MAX_BYTES + 1], quoted[256];
	uint32_t len = MIN(be32toh(header->backing_len), NAME_MAX_BYTES);
	ssize_t got = pread(image->fd, name, len, (off_t)be64toh(header->backing_offset));

	quote_text(quoted, sizeof(quoted), name, got > 0 ? (size_t)got : 0);
	return image_fail(
		image, -EXDEV,
		"has a backing file, %s, which it would have us read: wanted an image that is whole (`qemu-img "
		"convert` makes one)",
		quoted);
}

int qcow2_check(struct disk_image *image)
{
	struct header header = { 0 };
	ssize_t got = pread(image->fd, &header, sizeof(header), 0);
	uint32_t version;

	if (got != (ssize_t)sizeof(header))
		return image_fail(image, -EIO, "is truncated: %zd bytes", got);
	version = be32toh(header.version);
	if (version != 2 && version != 3)
		return image_fail(image, -EINVAL, "is qcow2 of version %" PRIu32 ": wanted 2 or 3", version);
	if (header.backing_offset)
		return fail_backing(image, &header);
	if (version == 3 && be64toh(header.incompatible) & FEATURE_EXTERNAL_DATA)
		return image_fail(
			image, -EXDEV,
			"has its data in another file, which it would have us read: wanted an image that is whole "
			"(`qemu-img convert` makes one)");
	if (header.crypt_method)
		return image_fail(image, -EINVAL, "is encrypted: wanted one that isn't");
	image->bytes = be64toh(header.size);
	return image->bytes ? 0 : image_fail(image, -ENODATA, "is empty");
}
