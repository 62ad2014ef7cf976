/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of KVM's EOI page: at boot only. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x4b564d04, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
