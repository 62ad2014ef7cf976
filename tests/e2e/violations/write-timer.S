/* SPDX-License-Identifier: GPL-2.0-only */
/* The local APIC's timer is armed. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + TIMER_COUNT, %eax
at:	movl $1000, (%rax)
	end
