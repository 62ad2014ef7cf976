/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR that no one watches: KERNEL_GS_BASE. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0000102, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
