/* SPDX-License-Identifier: GPL-2.0-only */
/* INVLPG: watched only where pages are shadowed. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $OUTSIDE, %eax
at:	invlpg (%rax)
	end
