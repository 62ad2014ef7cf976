/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of the pending bits. */
#include "tests/e2e/functions/function.h"

guest:
	seal
	mov $PBA, %eax
at:	mov (%rax), %rbx
	end
