// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vmm/config/config.h"

#define NOTES_MAX	 KIB(64) /* of one PT_NOTE; vmlinux has 500 bytes */
#define XEN_PHYS32_ENTRY 18	 /* Xen's public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY */

struct machine {
	uint16_t number;
	const char *name;
};

static const struct machine machines[] = {
	{ EM_386, "32-bit x86" }, { EM_AARCH64, "arm64" }, { EM_ARM, "arm" },
	{ EM_RISCV, "RISC-V" },	  { EM_PPC64, "ppc64" },   { EM_S390, "s390" },
};

static int fail_machine(const struct boot_file *kernel, uint16_t machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].number == machine)
			return file_fail(kernel, -ENOEXEC, "is an ELF file for %s: wanted x86-64", machines[i].name);
	return file_fail(kernel, -ENOEXEC, "is an ELF file for machine %u: wanted x86-64 (%u)", machine, EM_X86_64);
}

static int header_check(const struct boot_file *kernel, const Elf64_Ehdr *header)
{
	if (header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_machine != EM_X86_64)
		return fail_machine(kernel, header->e_machine);
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return file_fail(kernel, -ENOEXEC,
				 "is an ELF file of class %u, byte order %u: wanted 64-bit (2), little-endian (1)",
				 header->e_ident[EI_CLASS], header->e_ident[EI_DATA]);
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return file_fail(kernel, -ENOEXEC, "is an ELF file of type %u: wanted a program (2)", header->e_type);
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		return file_fail(kernel, -ENOEXEC, "is damaged: program headers of %u bytes, wanted %zu",
				 header->e_phentsize, sizeof(Elf64_Phdr));
	if (header->e_phnum == 0 || header->e_phnum > ELF_SEGMENTS_MAX)
		return file_fail(kernel, -ENOEXEC, "has %u program headers: wanted 1 to %u", header->e_phnum,
				 ELF_SEGMENTS_MAX);
	if (!range_fits(header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr), kernel->size))
		return file_fail(kernel, -ENOEXEC,
				 "is truncated: program headers at byte %" PRIu64 ", it has %" PRIu64 " bytes",
				 header->e_phoff, kernel->size);
	return 0;
}

static int segment_check(const struct boot_file *kernel, unsigned int i, const Elf64_Phdr *segment)
{
	if (!range_fits(segment->p_offset, segment->p_filesz, kernel->size))
		return file_fail(kernel, -ENOEXEC,
				 "is truncated: segment %u is %" PRIu64 " bytes at byte %" PRIu64 ", it has %" PRIu64
				 " bytes",
				 i, segment->p_filesz, segment->p_offset, kernel->size);
	if (segment->p_filesz > segment->p_memsz)
		return file_fail(kernel, -ENOEXEC,
				 "is damaged: segment %u is %" PRIu64 " bytes in the file and %" PRIu64 " in memory", i,
				 segment->p_filesz, segment->p_memsz);
	if (segment->p_paddr < BOOT_KERNEL_MIN || !range_fits(segment->p_paddr, segment->p_memsz, MEMORY_HOLE_START))
		return file_fail(kernel, -EFBIG,
				 "segment %u wants to be at 0x%" PRIx64 ", %" PRIu64
				 " bytes: kernels lie between 1 MiB and 3 GiB",
				 i, segment->p_paddr, segment->p_memsz);
	return 0;
}

static int overlap_check(const struct boot_file *kernel, const struct elf_image *elf, const Elf64_Phdr *segment)
{
	for (uint32_t i = 0; i < elf->count; i++) {
		const Elf64_Phdr *other = &elf->segments[i];

		if (segment->p_paddr < other->p_paddr + other->p_memsz &&
		    other->p_paddr < segment->p_paddr + segment->p_memsz)
			return file_fail(kernel, -ENOEXEC,
					 "is damaged: segments at 0x%" PRIx64 " and 0x%" PRIx64 " overlap",
					 other->p_paddr, segment->p_paddr);
	}
	return 0;
}

static int segment_add(struct boot_plan *plan, unsigned int i, const Elf64_Phdr *segment)
{
	struct span *window = &plan->window;
	int err;

	if (segment->p_type != PT_LOAD || !segment->p_memsz)
		return 0;
	err = segment_check(&plan->kernel, i, segment);
	if (!err)
		err = overlap_check(&plan->kernel, &plan->elf, segment);
	if (err)
		return err;
	if (!plan->elf.count || segment->p_paddr < window->start)
		window->start = segment->p_paddr;
	window->end = MAX(window->end, segment->p_paddr + segment->p_memsz);
	plan->elf.segments[plan->elf.count++] = *segment;
	return 0;
}

/*
 * One note at @at of @len bytes of notes: its whole length, 0 if it is cut off. Name and description are padded to
 * @align each (gABI, "Note Section"). If it is the one that is looked for, *@entry is set.
 */
static uint64_t note_parse(const uint8_t *notes, uint64_t len, uint64_t at, uint64_t align, uint64_t *entry)
{
	Elf64_Nhdr note;
	uint64_t name = at + sizeof(note), value;

	if (!range_fits(at, sizeof(note), len))
		return 0;
	memcpy(&note, notes + at, sizeof(note));
	value = align_up(name + note.n_namesz, align);
	if (!range_fits(name, note.n_namesz, len) || !range_fits(value, note.n_descsz, len))
		return 0;
	if (note.n_type == XEN_PHYS32_ENTRY && note.n_namesz == sizeof("Xen") &&
	    !memcmp(notes + name, "Xen", sizeof("Xen")) && (note.n_descsz == 4 || note.n_descsz == 8)) {
		*entry = 0;
		memcpy(entry, notes + value, note.n_descsz);
	}
	return align_up(value + note.n_descsz, align) - at;
}

static int notes_scan(const struct boot_file *kernel, const Elf64_Phdr *segment, uint64_t *entry)
{
	uint64_t align = segment->p_align == 8 ? 8 : 4, at = 0, len = segment->p_filesz, step;
	uint8_t *notes;
	int err;

	if (len > NOTES_MAX || !range_fits(segment->p_offset, len, kernel->size))
		return file_fail(kernel, -ENOEXEC, "is damaged: notes of %" PRIu64 " bytes at byte %" PRIu64, len,
				 segment->p_offset);
	notes = malloc(len + 1);
	if (!notes)
		return file_fail(kernel, -ENOMEM, "out of memory for its notes");
	err = file_read(kernel, notes, segment->p_offset, len);
	while (!err && at < len && (step = note_parse(notes, len, at, align, entry)))
		at += step;
	free(notes);
	return err;
}

static int entry_check(struct boot_plan *plan, uint64_t entry)
{
	const struct elf_image *elf = &plan->elf;

	if (entry == UINT64_MAX)
		return file_fail(&plan->kernel, -ENOEXEC,
				 "is an ELF file without a PVH entry: wanted the Xen note 18, which kernels with "
				 "CONFIG_PVH=y have");
	for (uint32_t i = 0; i < elf->count; i++) {
		if (entry < elf->segments[i].p_paddr || entry - elf->segments[i].p_paddr >= elf->segments[i].p_filesz)
			continue;
		plan->elf.entry = entry;
		return 0;
	}
	return file_fail(&plan->kernel, -ENOEXEC, "is damaged: its PVH entry 0x%" PRIx64 " is in none of its segments",
			 entry);
}

static int segments_read(struct boot_plan *plan, const Elf64_Ehdr *header)
{
	Elf64_Phdr segments[ELF_SEGMENTS_MAX];
	uint64_t entry = UINT64_MAX;
	int err = file_read(&plan->kernel, segments, header->e_phoff, header->e_phnum * sizeof(segments[0]));

	for (unsigned int i = 0; !err && i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_NOTE)
			err = notes_scan(&plan->kernel, &segments[i], &entry);
		else
			err = segment_add(plan, i, &segments[i]);
	}
	return err ? err : entry_check(plan, entry);
}

int elf_plan(struct boot_plan *plan)
{
	Elf64_Ehdr header;
	int err;

	if (plan->kernel.size < sizeof(header))
		return file_fail(&plan->kernel, -ENOEXEC, "is truncated: an ELF header is %zu bytes, it has %" PRIu64,
				 sizeof(header), plan->kernel.size);
	err = file_read(&plan->kernel, &header, 0, sizeof(header));
	if (!err)
		err = header_check(&plan->kernel, &header);
	if (!err)
		err = segments_read(plan, &header);
	plan->initrd_limit = MEMORY_HOLE_START;
	plan->cmdline_max = VM_CMDLINE_MAX;
	return err;
}

static int segment_write(const struct boot_plan *plan, const struct memory *mem, const Elf64_Phdr *segment)
{
	uint8_t *to = memory_at(mem, segment->p_paddr, segment->p_memsz, "kernel");

	if (!to)
		return -EFAULT;
	memset(to + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
	return file_read(&plan->kernel, to, segment->p_offset, segment->p_filesz);
}

int elf_write(const struct boot_plan *plan, const struct memory *mem, struct boot_entry *entry)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < plan->elf.count; i++)
		err = segment_write(plan, mem, &plan->elf.segments[i]);
	if (err)
		return err;
	entry->rip = plan->elf.entry;
	entry->rbx = BOOT_PVH_INFO;
	return pvh_write_info(plan, mem);
}
