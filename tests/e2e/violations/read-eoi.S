/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of the EOI register: not what the exception is for. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + EOI, %eax
at:	mov (%rax), %ebx
	end
