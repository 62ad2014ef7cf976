/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of SELF_IPI. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x83f, %ecx
	mov $0x40, %eax
	mov $0, %edx
at:	wrmsr
	end
