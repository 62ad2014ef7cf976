/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUID and nothing else, for ever: RESULT counts them. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	xor %eax, %eax
	cpuid
	incq RESULT
	jmp at
	end
