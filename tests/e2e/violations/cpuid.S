/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUID: watched by every processor. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $1, %eax
at:	cpuid
	end
