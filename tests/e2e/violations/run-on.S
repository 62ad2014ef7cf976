/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What another vCPU still does when one has made a forbidden exit: it writes the TSC to memory without end, and stands still
 * when the kernel has ended it. RESULT is the first one's TSC just before its OUT, LATEST the other's last.
 */
#include "tests/e2e/violations/guest.h"

#define LATEST	   (RESULT + 8)
#define TRAMPOLINE 0x9000
#define INIT	   0x4500
#define STARTUP	   (0x4600 | TRAMPOLINE >> 12) /* SDM vol. 3, 11.4.4.1 */

	/* Where a vCPU begins: in real mode, at the page that the start-up IPI names. */
	.code16
trampoline:
	xor %ax, %ax
	mov %ax, %ds
1:	rdtsc
	mov %eax, LATEST
	mov %edx, LATEST + 4
	jmp 1b
trampoline_end:
	.code64

guest:
	mov $trampoline, %esi
	mov $TRAMPOLINE, %edi
	mov $trampoline_end - trampoline, %ecx
	rep movsb
	mov $LAPIC_BASE, %ebx
	movl $0x1ff, SPURIOUS(%rbx)
	movl $1 << 24, ICR_HIGH(%rbx)
	movl $INIT, ICR(%rbx)
	movl $STARTUP, ICR(%rbx)
1:	cmpl $0, LATEST
	je 1b
	seal
	/* it has gone on too */
	mov LATEST, %rcx
1:	cmp LATEST, %rcx
	je 1b
	rdtsc
	mov %eax, RESULT
	mov %edx, RESULT + 4
	mov $0x80, %dx
at:	out %al, %dx
	end
