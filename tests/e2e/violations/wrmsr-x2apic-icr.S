/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of the ICR in x2APIC's way. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x830, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
