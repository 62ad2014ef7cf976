/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of the TSC deadline, which is hidden. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x6e0, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
