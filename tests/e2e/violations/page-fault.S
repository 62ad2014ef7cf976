/* SPDX-License-Identifier: GPL-2.0-only */
/* A page fault: the guest's own business. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $1, %eax
	shl $32, %rax
at:	mov (%rax), %ebx
	end
