/* SPDX-License-Identifier: GPL-2.0-only */
/* A write into the MSI-X table: a vector unmasked. */
#include "tests/e2e/functions/function.h"

guest:
	seal
	mov $TABLE + 12, %eax
at:	movl $0, (%rax)
	end
