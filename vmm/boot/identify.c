// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define WANTED "wanted an x86-64 bzImage, or an ELF vmlinux with a PVH entry"

/* What people give in place of a kernel, by its first bytes. */
struct magic {
	uint16_t offset;
	uint8_t len;
	const char *bytes;
	const char *is;
};

static const struct magic not_kernels[] = {
	{ 0x38, 4, "ARM\x64", "is an arm64 Image" },
	{ 0x30, 4, "RISC", "is a RISC-V Image" },
	{ 0, 2, "#!", "is a script" },
	{ 0, 2, "\x1f\x8b", "is compressed by gzip (unpack it first)" },
	{ 0, 6, "\3757zXZ\0", "is compressed by xz (unpack it first)" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "is compressed by zstd (unpack it first)" },
	{ 0, 4, "\x02\x21\x4c\x18", "is compressed by lz4 (unpack it first)" },
	{ 0, 5, "07070", "is a cpio archive, as initrds are" },
	{ 0, 2, "MZ", "is a program for EFI without a Linux boot header" },
	{ 0, 4, "\x27\x05\x19\x56", "is a U-Boot image" },
	{ 0, 4, "QFI\xfb", "is a qcow2 disk image" },
	{ 0x1fe, 2, "\x55\xaa", "is a boot sector or disk image" },
};

static const struct magic bzimage_magic = { 0x202, 4, "HdrS", "" };
static const struct magic elf_magic = { 0, 4, ELFMAG, "" };

struct head {
	uint8_t bytes[0x400];
	size_t len;
};

static bool head_has(const struct head *head, const struct magic *magic)
{
	return (size_t)magic->offset + magic->len <= head->len &&
	       !memcmp(head->bytes + magic->offset, magic->bytes, magic->len);
}

static int fail_unknown(const struct boot_file *kernel, const struct head *head)
{
	char found[3 * 8 + 1] = "";

	for (size_t i = 0; i < ARRAY_SIZE(not_kernels); i++)
		if (head_has(head, &not_kernels[i]))
			return file_fail(kernel, -ENOEXEC, "%s: " WANTED, not_kernels[i].is);
	for (size_t i = 0; i < MIN(head->len, (size_t)8); i++)
		sprintf(found + 3 * i, " %02x", head->bytes[i]);
	return file_fail(kernel, -ENOEXEC, "is no kernel, it begins with%s: " WANTED, found);
}

int kernel_identify(const struct boot_file *kernel, enum boot_protocol *protocol)
{
	struct head head = { .len = MIN(kernel->size, sizeof(head.bytes)) };
	int err = file_read(kernel, head.bytes, 0, head.len);

	if (err)
		return err;
	if (head_has(&head, &elf_magic))
		*protocol = BOOT_PVH;
	else if (head_has(&head, &bzimage_magic))
		*protocol = BOOT_LINUX64;
	else
		return fail_unknown(kernel, &head);
	return 0;
}
