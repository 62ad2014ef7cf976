/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of the hole in the memory of a small guest. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x200000, %eax
at:	mov (%rax), %ebx
	end
