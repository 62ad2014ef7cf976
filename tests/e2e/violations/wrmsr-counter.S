/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of a performance counter's selection. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0010000, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
