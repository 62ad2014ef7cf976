/* SPDX-License-Identifier: GPL-2.0-only */
/* An IPI to itself, masked: sending is enough. */
#include "tests/e2e/violations/guest.h"

guest:
	mov $LAPIC_BASE, %eax
	movl $0x1ff, SPURIOUS(%rax)
	seal
	mov $LAPIC_BASE + ICR, %eax
at:	movl $0x40040, (%rax)
	end
