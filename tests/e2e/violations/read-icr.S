/* SPDX-License-Identifier: GPL-2.0-only */
/* What Linux does before it sends an IPI: it looks whether the last one is on its way still. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + ICR, %eax
at:	mov (%rax), %ebx
	end
