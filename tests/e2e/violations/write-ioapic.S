/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of the I/O APIC. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $IOAPIC_BASE, %eax
at:	movl $0, (%rax)
	end
