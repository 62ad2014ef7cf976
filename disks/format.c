// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "disks/internal.h"

static const struct {
	const char *name;
	const char *suffixes[2];
	const char *magic;
	size_t magic_len;
	size_t magic_at;
} formats[DISK_FORMATS] = {
	[DISK_RAW] = { "raw", { NULL } },
	[DISK_GZIP] = { "gzip", { ".gz" }, "\x1f\x8b\x08", 3 }, /* RFC 1952, 2.3.1, with deflate */
	[DISK_XZ] = { "xz",
		      { ".xz" },
		      "\xfd"
		      "7zXZ\0",
		      6 },						      /* xz-file-format.txt, 2.1.1.1 */
	[DISK_ZSTD] = { "zstd", { ".zst", ".zstd" }, "\x28\xb5\x2f\xfd", 4 }, /* RFC 8878, 3.1.1 */
	[DISK_QCOW2] = { "qcow2", { ".qcow2" }, "QFI\xfb", 4 },		      /* QEMU's docs/interop/qcow2.txt */
	[DISK_VDI] = { "vdi", { ".vdi" }, "\x7f\x10\xda\xbe", 4, 0x40 },      /* QEMU's block/vdi.c, VDI_SIGNATURE */
	[DISK_VHDX] = { "vhdx", { ".vhdx" }, "vhdxfile", 8 },		      /* [MS-VHDX] 2.2.1 */
	[DISK_VPC] = { "vhd", { ".vhd" }, "conectix", 8 },		      /* QEMU's block/vpc.c */
};

const char *disk_format_name(enum disk_format format)
{
	return formats[format].name;
}

enum disk_format disk_format_find(const char *name)
{
	for (int i = DISK_RAW; i < DISK_FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return i;
	return 0;
}

static bool ends_with(const char *path, const char *suffix)
{
	size_t len = strlen(path), end = suffix ? strlen(suffix) : 0;

	return end && len > end && strcasecmp(path + len - end, suffix) == 0;
}

enum disk_format disk_format_of_path(const char *path)
{
	for (int i = DISK_RAW; i < DISK_FORMATS; i++)
		for (size_t j = 0; j < ARRAY_SIZE(formats[i].suffixes); j++)
			if (ends_with(path, formats[i].suffixes[j]))
				return i;
	return DISK_RAW;
}

enum disk_format disk_format_of_bytes(const uint8_t *bytes, size_t len)
{
	for (int i = DISK_RAW; i < DISK_FORMATS; i++) {
		size_t at = formats[i].magic_at, magic_len = formats[i].magic_len;

		if (magic_len && at + magic_len <= len && memcmp(bytes + at, formats[i].magic, magic_len) == 0)
			return i;
	}
	return DISK_RAW;
}

bool disk_format_is_packed(enum disk_format format)
{
	return format >= DISK_GZIP && format <= DISK_ZSTD;
}

bool disk_format_is_qemu(enum disk_format format)
{
	return format >= DISK_QCOW2;
}
