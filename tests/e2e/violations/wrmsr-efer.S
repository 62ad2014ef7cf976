/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of EFER, with the value that it has. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0000080, %ecx
	mov $0x500, %eax
	mov $0, %edx
at:	wrmsr
	end
