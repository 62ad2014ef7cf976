/* SPDX-License-Identifier: GPL-2.0-only */
/* A task switch by the processor, which only a 32-bit guest can ask for. */
#define GUEST32
#include "tests/e2e/violations/guest.h"

guest:
	mov $tss, %eax
	mov %ax, gdt + TSS + 2
	shr $16, %eax
	mov %al, gdt + TSS + 4
	movw $103, gdt + TSS
	movb $0x89, gdt + TSS + 5 /* a 32-bit TSS, available: SDM vol. 3, 8.2.2 */
	mov $next, %eax
	mov %ax, gdt + NEXT + 2
	shr $16, %eax
	mov %al, gdt + NEXT + 4
	movw $103, gdt + NEXT
	movb $0x89, gdt + NEXT + 5
	mov $TSS, %ax
	ltr %ax
	seal
at:	ljmp $NEXT, $0
	end

	.data
	.balign 128
tss:	.skip 104
	.balign 128
next:	.skip 32
	.long passed /* EIP: SDM vol. 3, figure 8-2 */
	.long 2	     /* EFLAGS */
	.skip 16
	.long stack
	.skip 12
	.long DS, CS32, DS, DS, DS, DS
	.long 0
	.word 0, 104
