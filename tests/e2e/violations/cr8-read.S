/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of CR8. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	mov %cr8, %rax
	end
