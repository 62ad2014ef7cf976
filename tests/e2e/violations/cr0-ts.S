/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of CR0 that changes TS alone. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov %cr0, %rax
	xor $8, %eax
at:	mov %rax, %cr0
	end
