/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR of the machine check banks. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x179, %ecx
at:	rdmsr
	end
