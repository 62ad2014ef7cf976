// SPDX-License-Identifier: GPL-2.0-only
/* Sound kernels into memory: what lies where, and what the kernel is told. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <stdlib.h>

#include "base/capture.h"
#include "devices/ports.h"
#include "tests/unit/image.h"
#include "vmm/boot/boot.h"
#include "vmm/boot/plan.h"
#include "vmm/boot/pvh.h"

struct loaded {
	struct image kernel, initrd;
	struct memory mem;
	struct boot_entry entry;
	char *cmdline;
	int err;
};

/* @initrd_size 0: none. The initrd is 0x77 once, then zeros. */
static void load(struct loaded *l, uint64_t memory_size, uint64_t initrd_size)
{
	struct boot_request req = { .cmdline = "console=ttyS0", .vcpus = 2, .tsc_khz = 2000000 };

	image_open(&l->kernel, 0);
	req.kernel = l->kernel.path;
	if (initrd_size) {
		l->initrd.len = 1;
		l->initrd.bytes[0] = 0x77;
		image_open(&l->initrd, initrd_size - 1);
		req.initrd = l->initrd.path;
	}
	memory_sparse(&l->mem, memory_size);
	l->cmdline = NULL;
	l->err = boot_load(&req, &l->mem, &l->entry, &l->cmdline);
	ck_assert_int_eq(boot_check(&req, memory_size), l->err);
}

static void unload(struct loaded *l)
{
	free(l->cmdline);
	memory_release(&l->mem);
	image_close(&l->kernel);
	if (l->initrd.len)
		image_close(&l->initrd);
	free(l);
}

static struct loaded *loaded_new(void)
{
	return calloc(1, sizeof(struct loaded));
}

static struct boot_params *params(const struct loaded *l)
{
	return memory_at(&l->mem, BOOT_PARAMS, sizeof(struct boot_params), "boot_params");
}

START_TEST(bzimage)
{
	struct loaded *l = loaded_new();
	const uint8_t *code;

	bz_make(&l->kernel);
	load(l, MIB(512), 0);
	ck_assert_int_eq(l->err, 0);
	ck_assert_uint_eq(l->entry.protocol, BOOT_LINUX64);
	ck_assert_uint_eq(l->entry.rip, MIB(16) + 0x200);
	ck_assert_uint_eq(l->entry.rsi, BOOT_PARAMS);
	ck_assert_uint_eq(l->entry.cr3, BOOT_PAGETABLES);
	code = memory_at(&l->mem, MIB(16), BZ_CODE + 1, "code");
	ck_assert_mem_eq(code, l->kernel.bytes + BZ_SETUP, BZ_CODE);
	ck_assert_uint_eq(code[BZ_CODE], 0);
	ck_assert_ptr_nonnull(strstr(l->cmdline, "tsc_early_khz=2000000 "));
	ck_assert_str_eq(l->cmdline + strlen(l->cmdline) - 14, " console=ttyS0");
	ck_assert_str_eq(memory_at(&l->mem, BOOT_CMDLINE, strlen(l->cmdline) + 1, "cmdline"), l->cmdline);
	unload(l);
}
END_TEST

START_TEST(zero_page)
{
	struct loaded *l = loaded_new();
	const struct boot_params *p;

	bz_make(&l->kernel);
	bz_header(&l->kernel)->setup_data = 0x1234; /* the kernel's file has no say in these */
	bz_header(&l->kernel)->ramdisk_image = 0x1234;
	bz_header(&l->kernel)->loadflags = 0xff;
	load(l, MIB(512), MIB(3) + 1);
	ck_assert_int_eq(l->err, 0);
	p = params(l);
	ck_assert_mem_eq(&p->hdr.header, "HdrS", 4);
	ck_assert_uint_eq(p->hdr.boot_flag, 0xaa55);
	ck_assert_uint_eq(p->hdr.version, 0x20f);
	ck_assert_uint_eq(p->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(p->hdr.loadflags, LOADED_HIGH);
	ck_assert_uint_eq(p->hdr.cmd_line_ptr, BOOT_CMDLINE);
	ck_assert_uint_eq(p->hdr.setup_data, 0);
	ck_assert_uint_eq(p->hdr.ramdisk_image, MIB(512) - MIB(3) - KIB(4));
	ck_assert_uint_eq(p->hdr.ramdisk_size, MIB(3) + 1);
	ck_assert_uint_eq(p->acpi_rsdp_addr, BOOT_ACPI);
	ck_assert_uint_eq(p->hdr.init_size, MIB(56));
	ck_assert_uint_eq(p->e820_entries, 5);
	ck_assert_uint_eq(*(uint8_t *)memory_at(&l->mem, p->hdr.ramdisk_image, 1, "initrd"), 0x77);
	unload(l);
}
END_TEST

/* A header that is longer than ours was when it was made is cut where it says that it ends. */
START_TEST(header_cut)
{
	struct loaded *l = loaded_new();

	bz_make(&l->kernel);
	bz_header(&l->kernel)->jump = 0x66eb; /* jmp 0x268: no kernel_info_offset */
	bz_header(&l->kernel)->kernel_info_offset = 0xbad;
	load(l, MIB(512), 0);
	ck_assert_int_eq(l->err, 0);
	ck_assert_uint_eq(params(l)->hdr.init_size, MIB(56));
	ck_assert_uint_eq(params(l)->hdr.kernel_info_offset, 0);
	unload(l);
}
END_TEST

static const struct {
	uint64_t memory, init_size, initrd; /* MiB */
	uint64_t initrd_at;		    /* MiB; 0: doesn't fit */
	uint32_t initrd_addr_max;	    /* 0: 2 GiB - 1 */
} places[] = {
	{ 64, 56, 6, 72, 0 }, /* Debian's 6.12: 72 to 78 MiB is left */
	{ 64, 56, 7, 0, 0 },  /* nor is there more below */
	{ 64, 56, 1, 77, 0 },
	{ 64, 62, 1, 1, 0 }, /* only the MiB below the hole */
	{ 64, 62, 2, 0, 0 },
	{ 80, 56, 16, 78, 0 },
	{ 128, 112, 15, 1, 0 }, /* below the kernel */
	{ 128, 112, 16, 0, 0 },
	{ 512, 56, 440, 72, 0 }, /* just fits above */
	{ 512, 56, 441, 0, 0 },
	{ 3072, 56, 100, 1948, 0 }, /* as high as the kernel takes it */
	{ 3072, 56, 100, 2972, UINT32_MAX },
	{ 3074, 56, 100, 2972, UINT32_MAX }, /* memory above 4 GiB is no place for it */
	{ 5120, 56, 100, 2972, UINT32_MAX },
	{ 5120, 56, 2000, 0, 0 },
	{ 512, 40, 8, 56, 0x3ffffff }, /* an old kernel that wants it low */
};

START_TEST(initrd_places)
{
	struct loaded *l = loaded_new();
	bool quiet = places[_i].initrd_at == 0;
	struct capture cap;

	bz_make(&l->kernel);
	bz_header(&l->kernel)->init_size = MIB(places[_i].init_size);
	if (places[_i].initrd_addr_max)
		bz_header(&l->kernel)->initrd_addr_max = places[_i].initrd_addr_max;
	if (quiet)
		capture_begin(&cap);
	load(l, MIB(places[_i].memory), MIB(places[_i].initrd));
	if (quiet)
		free(capture_end(&cap));
	ck_assert_int_eq(l->err, quiet ? -EFBIG : 0);
	if (!quiet)
		ck_assert_uint_eq(params(l)->hdr.ramdisk_image, MIB(places[_i].initrd_at));
	unload(l);
}
END_TEST

static const uint64_t memory_sizes[] = { MIB(64), MIB(512), GIB(3), GIB(3) + MIB(2), GIB(5) };

/* The map's RAM is all of memory but [0x9fc00, 1 MiB), sorted, without overlaps, and all of it is there. */
START_TEST(e820)
{
	struct memory_layout layout;
	struct boot_e820_entry map[E820_MAX];
	uint64_t ram = 0, end = 0, offset;
	unsigned int count;

	layout_plan(&layout, memory_sizes[_i]);
	count = e820_build(&layout, map);
	for (unsigned int i = 0; i < count; i++) {
		ck_assert_uint_ge(map[i].addr, end);
		end = map[i].addr + map[i].size;
		ck_assert(layout_find(&layout, map[i].addr, map[i].size, &offset));
		if (map[i].type == E820_RAM)
			ram += map[i].size;
	}
	ck_assert_uint_eq(ram, memory_sizes[_i] - (MIB(1) - 0x9fc00));
	ck_assert_uint_eq(map[2].addr, BOOT_ACPI);
	ck_assert_uint_eq(map[2].type, E820_ACPI);
}
END_TEST

/* Disks are told as what they are, behind memory, by both protocols' common table. */
START_TEST(e820_disks)
{
	struct memory_layout layout;
	struct boot_e820_entry map[E820_MAX];
	unsigned int count;

	layout_plan(&layout, memory_sizes[_i]);
	for (unsigned int i = 0; i < MEMORY_DISKS; i++)
		layout_add_disk(&layout, MIB(2) * (i + 1));
	count = e820_build(&layout, map);
	ck_assert_uint_le(count, E820_MAX);
	for (unsigned int i = 0; i < MEMORY_DISKS; i++) {
		const struct boot_e820_entry *entry = &map[count - MEMORY_DISKS + i];

		ck_assert_uint_eq(entry->type, 12);
		ck_assert_uint_eq(entry->addr, layout_disk(&layout, i)->gpa);
		ck_assert_uint_eq(entry->size, MIB(2) * (i + 1));
	}
	ck_assert_uint_ne(map[count - MEMORY_DISKS - 1].type, 12);
}
END_TEST

static uint64_t walk(const struct memory *mem, uint64_t table, uint64_t virt)
{
	const uint64_t address = 0x000ffffffffff000ULL;
	uint64_t entry = table;

	for (int shift = 39; shift >= 21; shift -= 9) {
		uint64_t at = (entry & address) + ((virt >> shift) & 511) * 8;

		entry = *(uint64_t *)memory_at(mem, at, 8, "table");
		ck_assert_uint_eq(entry & 3, 3);
	}
	ck_assert_uint_eq(entry & 0x80, 0x80);
	return (entry & address) | (virt & (MIB(2) - 1));
}

START_TEST(page_tables_and_gdt)
{
	struct loaded *l = loaded_new();
	const uint64_t *gdt;

	bz_make(&l->kernel);
	load(l, MIB(512), 0);
	ck_assert_int_eq(l->err, 0);
	for (uint64_t virt = 0; virt < GIB(4); virt += MIB(1) + 0x1234)
		ck_assert_uint_eq(walk(&l->mem, l->entry.cr3, virt), virt);
	ck_assert_uint_eq(walk(&l->mem, l->entry.cr3, GIB(4) - 1), GIB(4) - 1);
	ck_assert_uint_eq(*(uint64_t *)memory_at(&l->mem, BOOT_PAGETABLES + 8, 8, "table"), 0);
	ck_assert_uint_eq(l->entry.gdt_limit, 31);
	gdt = memory_at(&l->mem, l->entry.gdt, 32, "GDT");
	ck_assert_uint_eq(gdt[2], 0x00af9b000000ffff);
	ck_assert_uint_eq(gdt[3], 0x00cf93000000ffff);
	unload(l);
}
END_TEST

/* What a real-mode processor would run at f000:fff0 is an OUT of the reboot value to the reboot port. */
START_TEST(reset_vector)
{
	const uint8_t out[] = { 0xba, PORT_REBOOT & 0xff, PORT_REBOOT >> 8, 0xb0, REBOOT_VALUE, 0xee };
	struct loaded *l = loaded_new();

	bz_make(&l->kernel);
	load(l, MIB(64), 0);
	ck_assert_int_eq(l->err, 0);
	ck_assert_mem_eq(memory_at(&l->mem, 0xffff0, sizeof(out), "vector"), out, sizeof(out));
	unload(l);
}
END_TEST

START_TEST(pvh)
{
	struct loaded *l = loaded_new();
	const struct hvm_start_info *info;
	const struct hvm_modlist_entry *module;
	const struct hvm_memmap_entry *memmap;
	const uint8_t *data;

	elf_make(&l->kernel);
	load(l, MIB(512), 5000);
	ck_assert_int_eq(l->err, 0);
	ck_assert_uint_eq(l->entry.protocol, BOOT_PVH);
	ck_assert_uint_eq(l->entry.rip, ELF_ENTRY);
	info = memory_at(&l->mem, l->entry.rbx, sizeof(*info), "info");
	ck_assert_uint_eq(info->magic, HVM_START_MAGIC);
	ck_assert_uint_eq(info->version, 1);
	ck_assert_uint_eq(info->rsdp_paddr, BOOT_ACPI);
	ck_assert_str_eq(memory_at(&l->mem, info->cmdline_paddr, 100, "cmdline"), l->cmdline);
	ck_assert_uint_eq(info->nr_modules, 1);
	module = memory_at(&l->mem, info->modlist_paddr, sizeof(*module), "modules");
	ck_assert_uint_eq(module->paddr, MIB(512) - 8192);
	ck_assert_uint_eq(module->size, 5000);
	ck_assert_uint_eq(info->memmap_entries, 5);
	memmap = memory_at(&l->mem, info->memmap_paddr, 5 * sizeof(*memmap), "memmap");
	ck_assert_uint_eq(memmap[4].addr + memmap[4].size, MIB(512));
	data = memory_at(&l->mem, MIB(16), MIB(2), "segments");
	ck_assert_uint_eq(data[0], 0xc5);
	ck_assert_uint_eq(data[MIB(1) + 4095], 0xd5);
	ck_assert_uint_eq(data[MIB(1) + 4096], 0);
	ck_assert_uint_eq(((uint64_t *)memory_at(&l->mem, l->entry.gdt, 32, "GDT"))[2], 0x00cf9b000000ffff);
	unload(l);
}
END_TEST

/* The note may have 8 bytes; what its description's padding is, is said by the segment's alignment. */
START_TEST(pvh_note_of_8)
{
	struct loaded *l = loaded_new();

	elf_make(&l->kernel);
	elf_segment(&l->kernel, 2)->p_filesz = elf_notes(l->kernel.bytes + ELF_NOTE_AT, 8);
	load(l, MIB(64), 0);
	ck_assert_int_eq(l->err, 0);
	ck_assert_uint_eq(l->entry.rip, ELF_ENTRY);
	ck_assert_uint_eq(((struct hvm_start_info *)memory_at(&l->mem, l->entry.rbx, 56, "info"))->nr_modules, 0);
	unload(l);
}
END_TEST

/* A segment is zero after what the file has of it, whatever was there before. */
START_TEST(pvh_zero_filled)
{
	struct boot_request req = { .cmdline = "", .vcpus = 1 };
	struct loaded *l = loaded_new();

	elf_make(&l->kernel);
	image_open(&l->kernel, 0);
	req.kernel = l->kernel.path;
	memory_sparse(&l->mem, MIB(64));
	memset(memory_at(&l->mem, MIB(16), MIB(4), "all"), 0xee, MIB(4));
	ck_assert_int_eq(boot_load(&req, &l->mem, &l->entry, NULL), 0);
	ck_assert_uint_eq(*(uint8_t *)memory_at(&l->mem, MIB(18) - 1, 1, "bss"), 0);
	ck_assert_uint_eq(*(uint8_t *)memory_at(&l->mem, MIB(18), 1, "beyond"), 0xee);
	unload(l);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boot");
	TCase *tc = tcase_create("boot");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, bzimage);
	tcase_add_test(tc, zero_page);
	tcase_add_test(tc, header_cut);
	tcase_add_loop_test(tc, initrd_places, 0, ARRAY_SIZE(places));
	tcase_add_loop_test(tc, e820_disks, 0, ARRAY_SIZE(memory_sizes));
	tcase_add_loop_test(tc, e820, 0, ARRAY_SIZE(memory_sizes));
	tcase_add_test(tc, page_tables_and_gdt);
	tcase_add_test(tc, reset_vector);
	tcase_add_test(tc, pvh);
	tcase_add_test(tc, pvh_note_of_8);
	tcase_add_test(tc, pvh_zero_filled);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
