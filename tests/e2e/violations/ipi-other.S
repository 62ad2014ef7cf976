/* SPDX-License-Identifier: GPL-2.0-only */
/* An IPI to another vCPU. */
#include "tests/e2e/violations/guest.h"

guest:
	mov $LAPIC_BASE, %eax
	movl $0x1ff, SPURIOUS(%rax)
	movl $1 << 24, ICR_HIGH(%rax)
	seal
	mov $LAPIC_BASE + ICR, %eax
at:	movl $0x4040, (%rax)
	end
