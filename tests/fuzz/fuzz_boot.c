// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: any bytes as a kernel, or a sound kernel with some numbers changed. Whatever is loaded must lie in
 * memory and apart. Messages go to standard error: run with -close_fd_mask=2.
 */
#include "tests/unit/image.h"
#include "vmm/boot/boot.h"
#include "vmm/boot/plan.h"
#include "vmm/boot/pvh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the input's first byte. */
#define IS_RAW	    1 /* the rest is the kernel, else changes to a sound one */
#define IS_ELF	    2
#define IS_BIGGER   4 /* 128 MiB, of one range, else 64 MiB in two */
#define HAS_INITRD  8
#define IS_CUT	    16 /* the first change says how long the kernel is */
#define CHANGE_SIZE 6  /* two bytes of offset, four to put there */

static void require(bool held)
{
	if (!held)
		abort();
}

static void image_change(struct image *image, const uint8_t *data, size_t size)
{
	for (; size >= CHANGE_SIZE; data += CHANGE_SIZE, size -= CHANGE_SIZE) {
		size_t offset = (data[0] | data[1] << 8) % image->len;

		memcpy(image->bytes + offset, data + 2, MIN((size_t)4, image->len - offset));
	}
}

static void image_make(struct image *image, uint8_t kind, const uint8_t *data, size_t size)
{
	if (kind & IS_RAW) {
		image->len = MIN(size, sizeof(image->bytes));
		memcpy(image->bytes, data, image->len);
		return;
	}
	(kind & IS_ELF ? elf_make : bz_make)(image);
	image_change(image, data, size);
	if ((kind & IS_CUT) && size >= 2)
		image->len = (data[0] | data[1] << 8) % image->len;
}

static bool apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a + a_size <= b || b + b_size <= a;
}

static void linux64_verify(const struct memory *mem, const struct boot_entry *entry)
{
	const struct setup_header *header = &((struct boot_params *)memory_at(mem, BOOT_PARAMS, 4096, "params"))->hdr;
	uint64_t load = entry->rip - 0x200;

	require(memory_at(mem, load, header->init_size, "kernel"));
	require(load >= BOOT_KERNEL_MIN && load >= header->pref_address);
	if (!header->ramdisk_size)
		return;
	require(memory_at(mem, header->ramdisk_image, header->ramdisk_size, "initrd"));
	require(header->ramdisk_image >= BOOT_KERNEL_MIN);
	require(apart(load, header->init_size, header->ramdisk_image, header->ramdisk_size));
	require((uint64_t)header->ramdisk_image + header->ramdisk_size - 1 <= header->initrd_addr_max);
}

static void pvh_verify(const struct memory *mem, const struct boot_entry *entry)
{
	const struct hvm_start_info *info = memory_at(mem, entry->rbx, sizeof(*info), "info");
	const struct hvm_modlist_entry *module;

	require(entry->rip >= BOOT_KERNEL_MIN && memory_at(mem, entry->rip, 1, "entry"));
	if (!info->nr_modules)
		return;
	module = memory_at(mem, info->modlist_paddr, sizeof(*module), "modules");
	require(memory_at(mem, module->paddr, module->size, "initrd"));
	require(apart(entry->rip, 1, module->paddr, module->size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image image; /* too big for a stack with ASan's margins */
	struct boot_request req = { .kernel = image.path, .cmdline = "console=ttyS0", .vcpus = 2, .tsc_khz = 1000000 };
	struct boot_entry entry;
	struct memory mem;
	uint8_t kind = size ? data[0] : 0;

	if (!size)
		return 0;
	image_make(&image, kind, data + 1, size - 1);
	image_open(&image, 0);
	if (kind & HAS_INITRD)
		req.initrd = image.path;
	memory_sparse(&mem, MIB(kind & IS_BIGGER ? 128 : 64));
	if (!boot_load(&req, &mem, &entry, NULL))
		(entry.protocol == BOOT_LINUX64 ? linux64_verify : pvh_verify)(&mem, &entry);
	memory_release(&mem);
	image_close(&image);
	return 0;
}
