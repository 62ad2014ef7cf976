// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "vmm/config/config.h"

/* Documentation/arch/x86/boot.rst; offsets are the file's and, but for the sector count, the zero page's too. */
#define SECTOR		   512
#define HEADER_OFFSET	   0x1f1
#define HEADER_JUMP	   0x201 /* the header ends this many bytes after 0x202 */
#define HEADER_END_MIN	   0x268 /* up to handover_offset: protocol 2.12 */
#define SETUP_SECTS_UNSAID 4
#define PROTOCOL_MIN	   0x020c /* xloadflags, which say that there is a 64-bit entry */
#define BOOT_FLAG	   0xaa55
#define ENTRY_64	   0x200 /* from the start of the protected-mode part */
#define LOADER_UNDEFINED   0xff
#define VIDEO_NORMAL	   0xffff

static int fail_truncated(const struct boot_file *kernel, uint64_t wanted)
{
	return file_fail(kernel, -ENOEXEC, "is truncated: a bzImage of %" PRIu64 " bytes, of which it has %" PRIu64,
			 wanted, kernel->size);
}

/* The header's own length is where its jump instruction goes; newer headers are longer than what we know. */
static int header_read(const struct boot_file *kernel, struct setup_header *header)
{
	uint8_t sector[0x300] = { 0 };
	uint64_t end;
	int err;

	if (kernel->size < sizeof(sector))
		return fail_truncated(kernel, sizeof(sector));
	err = file_read(kernel, sector, 0, sizeof(sector));
	if (err)
		return err;
	end = 0x202 + sector[HEADER_JUMP];
	if (end < HEADER_END_MIN && sector[0x206] >= (PROTOCOL_MIN & 0xff))
		return file_fail(kernel, -ENOEXEC, "is no bzImage: its header ends at 0x%" PRIx64 ", before 0x%x", end,
				 HEADER_END_MIN);
	memset(header, 0, sizeof(*header));
	memcpy(header, sector + HEADER_OFFSET, MIN(end - HEADER_OFFSET, sizeof(*header)));
	return 0;
}

static int header_check_kind(const struct boot_file *kernel, const struct setup_header *header)
{
	if (header->boot_flag != BOOT_FLAG)
		return file_fail(kernel, -ENOEXEC, "is no bzImage: boot flag 0x%x, wanted 0x%x", header->boot_flag,
				 BOOT_FLAG);
	if (header->version < PROTOCOL_MIN)
		return file_fail(kernel, -ENOEXEC,
				 "is too old: boot protocol %d.%02d, wanted 2.12 (Linux 3.8) or newer",
				 header->version >> 8, header->version & 0xff);
	if (!(header->loadflags & LOADED_HIGH))
		return file_fail(kernel, -ENOEXEC, "is a zImage, made to be loaded low: wanted a bzImage");
	if (!(header->xloadflags & XLF_KERNEL_64))
		return file_fail(kernel, -ENOEXEC, "is a 32-bit kernel: wanted an x86-64 one");
	return 0;
}

static int header_check_numbers(const struct boot_file *kernel, const struct setup_header *header)
{
	uint64_t code = (uint64_t)header->syssize * 16;
	uint32_t align = header->kernel_alignment;

	if (!align || (align & (align - 1)) || align > GIB(1))
		return file_fail(kernel, -ENOEXEC, "is damaged: kernel_alignment 0x%x, wanted a power of two", align);
	if (header->pref_address > MEMORY_HOLE_START)
		return file_fail(kernel, -ENOEXEC, "wants to be at 0x%" PRIx64 ": kernels lie between 1 MiB and 3 GiB",
				 (uint64_t)header->pref_address);
	if (!range_fits(header->payload_offset, header->payload_length, code))
		return file_fail(kernel, -ENOEXEC,
				 "is damaged: payload of %u bytes at %u, in code of %" PRIu64 " bytes",
				 header->payload_length, header->payload_offset, code);
	if (!header->init_size || !header->cmdline_size)
		return file_fail(kernel, -ENOEXEC, "is damaged: init_size %u, cmdline_size %u", header->init_size,
				 header->cmdline_size);
	return 0;
}

/*
 * Always where the kernel prefers to be, aligned. Loaded lower, it would move itself there to decompress
 * (arch/x86/boot/compressed/head_64.S: never below LOAD_PHYSICAL_ADDR, which is pref_address), so nothing is won;
 * nor can it be loaded higher when memory ends too early. Without this, a kernel that isn't relocatable is the same.
 */
static void bzimage_place(struct boot_plan *plan)
{
	const struct setup_header *header = &plan->bz.header;
	uint64_t load = header->pref_address;

	if (header->relocatable_kernel)
		load = align_up(load, header->kernel_alignment);
	plan->bz.load = load;
	plan->window.start = load;
	plan->window.end = load + MAX((uint64_t)header->init_size, plan->kernel.size - plan->bz.offset);
}

int bzimage_plan(struct boot_plan *plan)
{
	const struct boot_file *kernel = &plan->kernel;
	struct setup_header *header = &plan->bz.header;
	uint64_t end;
	int err = header_read(kernel, header);

	if (!err)
		err = header_check_kind(kernel, header);
	if (!err)
		err = header_check_numbers(kernel, header);
	if (err)
		return err;
	plan->bz.offset = ((header->setup_sects ? header->setup_sects : SETUP_SECTS_UNSAID) + 1) * SECTOR;
	end = plan->bz.offset + (uint64_t)header->syssize * 16;
	if (kernel->size < end)
		return fail_truncated(kernel, end);
	bzimage_place(plan);
	plan->initrd_limit = MIN((uint64_t)header->initrd_addr_max + 1, MEMORY_HOLE_START);
	plan->cmdline_max = MIN(header->cmdline_size, VM_CMDLINE_MAX);
	return 0;
}

/* What a boot loader has to fill in. */
static void header_fill(const struct boot_plan *plan, struct setup_header *header)
{
	*header = plan->bz.header;
	header->vid_mode = VIDEO_NORMAL;
	header->type_of_loader = LOADER_UNDEFINED;
	header->ext_loader_ver = 0;
	header->ext_loader_type = 0;
	header->loadflags = LOADED_HIGH;
	header->code32_start = plan->bz.load;
	header->ramdisk_image = plan->initrd_gpa;
	header->ramdisk_size = plan->initrd_gpa ? plan->initrd.size : 0;
	header->cmd_line_ptr = BOOT_CMDLINE;
	header->hardware_subarch = X86_SUBARCH_PC;
	header->hardware_subarch_data = 0;
	header->setup_data = 0;
}

static int params_write(const struct boot_plan *plan, const struct memory *mem)
{
	struct boot_e820_entry map[E820_MAX];
	struct boot_params *params = memory_at(mem, BOOT_PARAMS, sizeof(*params), "boot_params");

	if (!params)
		return -EFAULT;
	memset(params, 0, sizeof(*params));
	header_fill(plan, &params->hdr);
	params->acpi_rsdp_addr = BOOT_ACPI;
	params->e820_entries = e820_build(plan->layout, map);
	memcpy(params->e820_table, map, params->e820_entries * sizeof(map[0]));
	return 0;
}

int bzimage_write(const struct boot_plan *plan, const struct memory *mem, struct boot_entry *entry)
{
	uint64_t len = plan->kernel.size - plan->bz.offset;
	void *to = memory_at(mem, plan->bz.load, len, "kernel");
	int err = to ? file_read(&plan->kernel, to, plan->bz.offset, len) : -EFAULT;

	if (err)
		return err;
	entry->rip = plan->bz.load + ENTRY_64;
	entry->rsi = BOOT_PARAMS;
	return params_write(plan, mem);
}
