/* SPDX-License-Identifier: GPL-2.0-only */
/* With the exception for CPUID: many of them pass, and what comes after them is looked at as ever. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $500, %edi
1:	xor %eax, %eax
	cpuid
	dec %edi
	jnz 1b
	mov $0x80, %dx
at:	out %al, %dx
	end
