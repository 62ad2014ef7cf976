/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR of the TSC; RDTSC is free. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x10, %ecx
at:	rdmsr
	end
