/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR of a performance counter. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0010004, %ecx
at:	rdmsr
	end
