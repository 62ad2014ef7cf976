/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of what is behind the MSI-X table, where nothing is. */
#include "tests/e2e/functions/function.h"

guest:
	seal
	mov $HOLE, %eax
at:	mov (%rax), %ebx
	end
