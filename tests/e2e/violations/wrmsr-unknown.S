/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of a number that no MSR has. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x12345, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
