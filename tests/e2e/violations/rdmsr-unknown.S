/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR of a number that no MSR has. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x12345, %ecx
at:	rdmsr
	end
