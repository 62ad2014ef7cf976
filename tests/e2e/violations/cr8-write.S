/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of CR8, the task priority: free, as long as no interrupt is held back by it. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $15, %eax
at:	mov %rax, %cr8
	end
