/* SPDX-License-Identifier: GPL-2.0-only */
/* A read of DR6. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	mov %db6, %rax
	end
