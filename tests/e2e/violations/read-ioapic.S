/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of the I/O APIC. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $IOAPIC_BASE + 0x10, %eax
at:	mov (%rax), %ebx
	end
