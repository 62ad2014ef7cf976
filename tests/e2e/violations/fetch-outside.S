/* SPDX-License-Identifier: GPL-2.0-only */
/* A jump to where there is no memory: the record shows where to. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $OUTSIDE, %eax
	jmp *%rax
	end

	.set at, OUTSIDE
