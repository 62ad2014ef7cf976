/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of the local APIC. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + 0x20, %eax
at:	mov (%rax), %ebx
	end
