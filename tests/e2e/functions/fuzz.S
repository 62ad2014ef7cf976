/* SPDX-License-Identifier: GPL-2.0-only */
/* Anything into each register of configuration space and of the MSI-X table, at boot; and then it is sealed. */
#include "tests/e2e/functions/function.h"

guest:
	mov $4000, %ebp
	mov $88172645, %ebx
1:	imul $1664525, %ebx
	add $1013904223, %ebx
	mov %ebx, %eax /* all functions, all registers */
	shr $8, %eax
	and $0x7ffc, %eax
	or $0x80000000, %eax
	mov $PORT_PCI_ADDRESS, %dx
	out %eax, %dx
	mov $PORT_PCI_DATA, %dx
	in %dx, %eax
	xor %ebx, %eax
	out %eax, %dx
	mov %ebx, %ecx /* table and what is behind it */
	shr $20, %ecx
	and $0x7c, %ecx
	add $TABLE, %ecx
	mov %eax, (%rcx)
	mov (%rcx), %eax
	dec %ebp
	jnz 1b
	seal
	mov REGISTERS + 8, %eax
at:	nop
	end
