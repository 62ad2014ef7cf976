/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of the MSI-X table. */
#include "tests/e2e/functions/function.h"

guest:
	seal
	mov $TABLE, %eax
at:	mov (%rax), %ebx
	end
