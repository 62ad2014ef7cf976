/* SPDX-License-Identifier: GPL-2.0-only */
/* A divide error: the guest's own business. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0, %ecx
	mov $1, %eax
	mov $0, %edx
at:	div %ecx
	end
