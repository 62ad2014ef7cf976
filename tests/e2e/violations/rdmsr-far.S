/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR of a number beyond all maps. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x80000001, %ecx
at:	rdmsr
	end
