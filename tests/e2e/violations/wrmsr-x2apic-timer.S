/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of the timer in x2APIC's way. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x838, %ecx
	mov $1, %eax
	mov $0, %edx
at:	wrmsr
	end
