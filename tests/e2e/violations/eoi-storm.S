/* SPDX-License-Identifier: GPL-2.0-only */
/* With the exception for EOIs: a storm of them passes, and what comes after them is looked at as ever. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + EOI, %eax
	mov $100, %ecx
1:	movl $0, (%rax)
	loop 1b
	mov $0x80, %dx
at:	out %al, %dx
	end
