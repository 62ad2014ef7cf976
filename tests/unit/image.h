/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_IMAGE_H
#define TESTS_UNIT_IMAGE_H

#include <asm/bootparam.h>
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memmap/memmap.h"

/* Kernels made up for tests: sound ones, of which a test then spoils one thing. */
struct image {
	size_t len;
	uint8_t bytes[64 << 10];
	int fd;
	char path[32];
};

#define BZ_SETUP  (5 * 512) /* setup_sects is 4 */
#define BZ_CODE	  4096
#define BZ_HEADER 0x1f1

static inline struct setup_header *bz_header(struct image *image)
{
	return (struct setup_header *)(image->bytes + BZ_HEADER);
}

/* Numbers as Debian's 6.12 has them, but for its size. */
static inline void bz_make(struct image *image)
{
	struct setup_header *header = bz_header(image);

	memset(image, 0, sizeof(*image));
	header->setup_sects = 4;
	header->syssize = BZ_CODE / 16;
	header->boot_flag = 0xaa55;
	header->jump = 0x6aeb; /* jmp 0x26c: where the header of protocol 2.15 ends */
	memcpy(&header->header, "HdrS", 4);
	header->version = 0x20f;
	header->loadflags = LOADED_HIGH;
	header->initrd_addr_max = 0x7fffffff;
	header->kernel_alignment = MIB(2);
	header->relocatable_kernel = 1;
	header->min_alignment = 21;
	header->xloadflags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G;
	header->cmdline_size = 2047;
	header->payload_offset = 0x2cc;
	header->payload_length = 1024;
	header->pref_address = MIB(16);
	header->init_size = MIB(56);
	image->len = BZ_SETUP + BZ_CODE;
	memset(image->bytes + BZ_SETUP, 0xc5, BZ_CODE);
}

#define ELF_NOTE_AT 0x200
#define ELF_DATA_AT 0x1000
#define ELF_ENTRY   0x1000100

static inline Elf64_Ehdr *elf_header(struct image *image)
{
	return (Elf64_Ehdr *)image->bytes;
}

static inline Elf64_Phdr *elf_segment(struct image *image, unsigned int i)
{
	return (Elf64_Phdr *)(image->bytes + sizeof(Elf64_Ehdr)) + i;
}

/* At @at: one note that isn't it, then the PVH entry in @size bytes. Returns their length. */
static inline size_t elf_notes(uint8_t *at, uint32_t size)
{
	const struct {
		Elf64_Nhdr note;
		char name[4];
		uint32_t value[2];
		Elf64_Nhdr pvh;
		char xen[4];
		uint64_t entry;
	} __attribute__((packed)) notes = {
		{ 4, 5, 3 }, "GNU", { 0x64636261, 0x65 }, { 4, size, 18 }, "Xen", ELF_ENTRY,
	};

	memcpy(at, &notes, sizeof(notes));
	return sizeof(notes) - 8 + size;
}

/* Three segments: 4 KiB of text at 16 MiB, data at 17 MiB that is 4 KiB in the file and 1 MiB in memory; notes. */
static inline void elf_make(struct image *image)
{
	Elf64_Ehdr *header = elf_header(image);

	memset(image, 0, sizeof(*image));
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_type = ET_EXEC;
	header->e_machine = EM_X86_64;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(Elf64_Phdr);
	header->e_phnum = 3;
	*elf_segment(image, 0) = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_offset = ELF_DATA_AT, .p_paddr = MIB(16), .p_filesz = 4096, .p_memsz = 4096
	};
	*elf_segment(image, 1) = (Elf64_Phdr){ .p_type = PT_LOAD,
					       .p_offset = ELF_DATA_AT + 4096,
					       .p_paddr = MIB(17),
					       .p_filesz = 4096,
					       .p_memsz = MIB(1) };
	*elf_segment(image, 2) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = ELF_NOTE_AT, .p_align = 4 };
	elf_segment(image, 2)->p_filesz = elf_notes(image->bytes + ELF_NOTE_AT, 4);
	image->len = ELF_DATA_AT + 2 * 4096;
	memset(image->bytes + ELF_DATA_AT, 0xc5, 4096);
	memset(image->bytes + ELF_DATA_AT + 4096, 0xd5, 4096);
}

/* The image's bytes as a file at image->path, then @more zeros. */
static inline void image_open(struct image *image, uint64_t more)
{
	image->fd = memfd_create("image", MFD_CLOEXEC);
	if (image->fd < 0 || write(image->fd, image->bytes, image->len) != (ssize_t)image->len ||
	    ftruncate(image->fd, image->len + more))
		abort();
	snprintf(image->path, sizeof(image->path), "/proc/self/fd/%d", image->fd);
}

static inline void image_close(struct image *image)
{
	close(image->fd);
}

/* Mapped memory of any size, of which only what is touched is there. */
static inline void memory_sparse(struct memory *mem, uint64_t size)
{
	*mem = (struct memory){ .fd = memfd_create("sparse", MFD_CLOEXEC), .page_size = KIB(4) };
	layout_plan(&mem->layout, size);
	if (mem->fd < 0 || ftruncate(mem->fd, size) || memory_map(mem))
		abort();
}

#endif
