/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests' own guests begin with: a few instructions as an ELF file that starts by PVH (Xen's
 * docs/misc/pvh.pandoc), 32-bit, without paging. They boot at once, where a Linux takes its time.
 */
#include "devices/ports.h"

#define SERIAL_LSR (PORT_SERIAL + 5)
#define LSR_DATA   1 /* bit: there is a byte to read */

	.section .note.GNU-stack, "", @progbits
	.section .note.pvh, "a", @note
	.long 4, 4, 18 /* bytes of name and value; XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start
	.text
	.code32
	.globl start

/* One byte to a port. */
.macro send port, value
	mov $\port, %dx
	mov $\value, %al
	out %al, %dx
.endm

.macro print text
	.data
1:	.ascii "\text"
2:
	.text
	mov $1b, %esi
	mov $(2b - 1b), %ecx
	mov $PORT_SERIAL, %dx
	rep outsb
.endm
