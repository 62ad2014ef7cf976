/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of the local APIC's address: switches it to x2APIC. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x1b, %ecx
	mov $0xfee00d00, %eax
	mov $0, %edx
at:	wrmsr
	end
