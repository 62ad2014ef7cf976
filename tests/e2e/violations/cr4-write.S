/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of CR4: as a global TLB flush does. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov %cr4, %rax
	xor $0x80, %eax
at:	mov %rax, %cr4
	end
