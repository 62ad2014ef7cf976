// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

#include <errno.h>
#include <string.h>

#include "devices/ports.h"

/* Flat segments of 4 GiB: present, ring 0, accessed; code is execute/read, data is read/write (SDM vol. 3, 3.4.5). */
#define SEGMENT_CODE64 0x00af9b000000ffffULL
#define SEGMENT_CODE32 0x00cf9b000000ffffULL
#define SEGMENT_DATA   0x00cf93000000ffffULL

#define PAGE_PRESENT  0x1
#define PAGE_WRITE    0x2
#define PAGE_LARGE    0x80
#define TABLE_SIZE    KIB(4)
#define TABLE_ENTRIES 512
#define DIRECTORIES   4 /* one a GiB */

static int gdt_write(const struct memory *mem, enum boot_protocol protocol, struct boot_entry *entry)
{
	const uint64_t gdt[] = {
		0, 0, protocol == BOOT_LINUX64 ? SEGMENT_CODE64 : SEGMENT_CODE32, /* 0x10, __BOOT_CS */
		SEGMENT_DATA,							  /* 0x18, __BOOT_DS */
	};
	void *to = memory_at(mem, BOOT_GDT, sizeof(gdt), "GDT");

	if (!to)
		return -EFAULT;
	memcpy(to, gdt, sizeof(gdt));
	entry->gdt = BOOT_GDT;
	entry->gdt_limit = sizeof(gdt) - 1;
	return 0;
}

/* The first 4 GiB where they are, in pages of 2 MiB. */
static int pagetables_write(const struct memory *mem, struct boot_entry *entry)
{
	uint64_t *pml4 = memory_at(mem, BOOT_PAGETABLES, (2 + DIRECTORIES) * TABLE_SIZE, "page tables");
	uint64_t *pdpt, *directory;

	if (!pml4)
		return -EFAULT;
	pdpt = pml4 + TABLE_ENTRIES;
	directory = pdpt + TABLE_ENTRIES;
	memset(pml4, 0, 2 * TABLE_SIZE);
	pml4[0] = (BOOT_PAGETABLES + TABLE_SIZE) | PAGE_PRESENT | PAGE_WRITE;
	for (uint64_t i = 0; i < DIRECTORIES; i++)
		pdpt[i] = (BOOT_PAGETABLES + (2 + i) * TABLE_SIZE) | PAGE_PRESENT | PAGE_WRITE;
	for (uint64_t i = 0; i < DIRECTORIES * TABLE_ENTRIES; i++)
		directory[i] = i * MIB(2) | PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE;
	entry->cr3 = BOOT_PAGETABLES;
	return 0;
}

/*
 * A kernel that panics before it knows ACPI ends by a jump to a PC's reset vector, f000:fff0 in real mode
 * (arch/x86/kernel/reboot.c, BOOT_BIOS). There it finds ACPI's reset in three instructions, instead of zeros.
 */
static int reset_vector_write(const struct memory *mem)
{
	static const uint8_t code[] = {
		0xba,
		PORT_REBOOT & 0xff,
		PORT_REBOOT >> 8, /* mov dx, PORT_REBOOT */
		0xb0,
		REBOOT_VALUE, /* mov al, REBOOT_VALUE */
		0xee,	      /* out dx, al */
		0xfa,
		0xf4, /* cli; hlt */
		0xeb,
		0xfd, /* jmp to the hlt */
	};
	void *to = memory_at(mem, BOOT_RESET_VECTOR, sizeof(code), "reset vector");

	if (!to)
		return -EFAULT;
	memcpy(to, code, sizeof(code));
	return 0;
}

int tables_write(const struct memory *mem, enum boot_protocol protocol, struct boot_entry *entry)
{
	int err = gdt_write(mem, protocol, entry);

	if (!err && protocol == BOOT_LINUX64)
		err = pagetables_write(mem, entry);
	return err ? err : reset_vector_write(mem);
}
