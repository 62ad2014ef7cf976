/* SPDX-License-Identifier: GPL-2.0-only */
/* XSETBV, with the value that it has. */
#include "tests/e2e/violations/guest.h"

guest:
	mov $0, %ecx
	mov $1, %eax
	mov $0, %edx
	xsetbv
	seal
	mov $0, %ecx
	mov $1, %eax
	mov $0, %edx
at:	xsetbv
	end
