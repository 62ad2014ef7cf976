/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR of the local APIC's address. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x1b, %ecx
at:	rdmsr
	end
