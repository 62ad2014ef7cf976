/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of KVM's clock by its first number. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x11, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
