/* SPDX-License-Identifier: GPL-2.0-only */
/* One CPUID, and then work without an end: RESULT counts it. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $1, %eax
at:	cpuid
	movl $1, AFTER
1:	incq RESULT
	jmp 1b
	end
