/* SPDX-License-Identifier: GPL-2.0-only */
/* The half of the interrupt command register that says where to. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + ICR_HIGH, %eax
at:	movl $1 << 24, (%rax)
	end
