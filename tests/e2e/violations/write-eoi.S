/* SPDX-License-Identifier: GPL-2.0-only */
/* An EOI where none is due, without the exception for it. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + EOI, %eax
at:	movl $0, (%rax)
	end
