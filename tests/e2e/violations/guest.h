/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guests of this folder begin with. Each is a few lines: from `guest` on what must be done before, `seal`,
 * the one instruction that the guest is about, at the label `at`, and `end`. Started by PVH (Xen's docs/misc/pvh.pandoc), in 32-bit mode
 * without paging; goes to 64-bit mode with the low 4 GiB mapped one to one, unless GUEST32 is defined.
 *
 * An exception is caught: it counts as having passed the instruction, as the hypervisor wasn't needed for it.
 */
#include "devices/ports.h"

/* What is read from the guest's memory at its end. */
#define BEFORE 0x8000 /* 1: sealed, and the instruction is next */
#define AFTER  0x8008 /* 1: it was passed */
#define CAUGHT 0x8010 /* the last exception, plus 0x100 */
#define RESULT 0x8018 /* free */

#define OUTSIDE 0xd0000000 /* neither memory nor a device */

#define EOI	    0xb0 /* registers of the local APIC: SDM vol. 3, table 11-1 */
#define SPURIOUS    0xf0
#define ICR	    0x300
#define ICR_HIGH    0x310
#define TIMER_COUNT 0x380

#define CS32 0x08 /* of the table below */
#define DS   0x10
#define CS64 0x18
#define TSS  0x20 /* the one that we are in */
#define NEXT 0x28 /* the one to switch to */

	.section .note.GNU-stack, "", @progbits
	.section .note.pvh, "a", @note
	.long 4, 4, 18 /* bytes of name and value; XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.data
	.balign 16
gdt:	.quad 0
	.quad 0x00cf9b000000ffff /* 32-bit code, all of 4 GiB */
	.quad 0x00cf93000000ffff /* data */
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0 /* the two task state segments: filled in by task-switch.S */
	.quad 0
gdt_end:
gdt_at:	.word gdt_end - gdt - 1
	.quad gdt
idt_at:	.word 32 * 16 - 1
	.quad idt
none:	.word 0
	.quad 0

	.bss
	.balign 4096
pml4:	.skip 4096
pdpt:	.skip 4096
tables:	.skip 4 * 4096
idt:	.skip 32 * 16
	.balign 16
	.skip 4096
stack:

	.text
	.globl start, at
	.code32
start:
	mov $stack, %esp
	lgdt gdt_at
	ljmp $CS32, $1f
1:	mov $DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
#ifdef GUEST32
	jmp guest
#else
	/* 2 MiB pages: present, writable, large */
	mov $tables, %edi
	mov $0x83, %eax
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	cmp $tables + 4 * 4096, %edi
	jne 1b
	movl $tables + 0x0003, pdpt
	movl $tables + 0x1003, pdpt + 8
	movl $tables + 0x2003, pdpt + 16
	movl $tables + 0x3003, pdpt + 24
	movl $pdpt + 3, pml4
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0x40620, %eax /* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
	mov %eax, %cr4
	mov $0xc0000080, %ecx /* EFER */
	rdmsr
	or $0x100, %eax /* LME */
	wrmsr
	mov $0x80000033, %eax /* PG, NE, ET, MP, PE */
	mov %eax, %cr0
	ljmp $CS64, $long_mode

	.code64
long_mode:
	mov $stack, %rsp
	mov $idt, %edi
	mov $catch, %eax
1:	mov %ax, (%rdi) /* interrupt gates: SDM vol. 3, figure 6-8 */
	movl $CS64 | 0x8e000000, 2(%rdi)
	mov %eax, %edx
	shr $16, %edx
	mov %dx, 6(%rdi)
	add $16, %edi
	add $16, %eax
	cmp $idt + 32 * 16, %edi
	jne 1b
	lidt idt_at
	jmp guest

	.balign 16
catch:
	.set vector, 0
	.rept 32
	movl $0x100 + vector, CAUGHT
	jmp caught
	.balign 16
	.set vector, vector + 1
	.endr
caught:	mov $stack, %rsp
	jmp passed
#endif

/* One byte to a port. */
.macro send port, value
	mov $\port, %dx
	mov $\value, %al
	out %al, %dx
.endm

/* From here on nothing may exit. Registers that the instruction wants are loaded after it. */
.macro seal
	send PORT_SEAL, 1
	movl $1, BEFORE
.endm

.macro end
passed:	movl $1, AFTER
	send PORT_POWER_OFF, SLEEP_TYPE << 2 | 0x20
1:	jmp 1b
.endm
