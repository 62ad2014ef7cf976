/* SPDX-License-Identifier: GPL-2.0-only */
/* A read where there is no memory. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $OUTSIDE, %eax
at:	mov (%rax), %ebx
	end
