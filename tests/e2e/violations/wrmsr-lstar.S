/* SPDX-License-Identifier: GPL-2.0-only */
/* WRMSR of LSTAR: KVM lets a guest have it until the seal's filter denies it. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0000082, %ecx
	mov $0, %eax
	mov $0, %edx
at:	wrmsr
	end
