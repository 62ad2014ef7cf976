/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of CR0 that switches caches off. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov %cr0, %rax
	or $0x40000000, %eax
at:	mov %rax, %cr0
	end
