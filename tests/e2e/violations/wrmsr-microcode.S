/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of the microcode's revision. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x8b, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
