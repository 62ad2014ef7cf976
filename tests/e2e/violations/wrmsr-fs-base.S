/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR that no one watches: FS_BASE, as at each switch of threads. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0000100, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
