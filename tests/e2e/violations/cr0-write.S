/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of CR0 that changes a bit besides TS and MP: alignment checks. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov %cr0, %rax
	xor $0x40000, %eax
at:	mov %rax, %cr0
	end
