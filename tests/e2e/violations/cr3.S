/* SPDX-License-Identifier: GPL-2.0-only */
/* CR3: the same. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov %cr3, %rax
at:	mov %rax, %cr3
	end
