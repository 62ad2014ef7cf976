/* SPDX-License-Identifier: GPL-2.0-only */
/* The local APIC is switched off. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + SPURIOUS, %eax
at:	movl $0xff, (%rax)
	end
