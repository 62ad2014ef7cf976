/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR of EFER: KVM keeps it. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0000080, %ecx
at:	rdmsr
	end
