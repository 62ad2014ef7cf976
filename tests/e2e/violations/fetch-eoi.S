/* SPDX-License-Identifier: GPL-2.0-only */
/* A jump into the local APIC, to where its EOI register is. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + EOI, %eax
	jmp *%rax
	end

	.set at, LAPIC_BASE + EOI
