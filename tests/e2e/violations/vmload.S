/* SPDX-License-Identifier: GPL-2.0-only */
/* VMLOAD. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x20000, %eax
at:	vmload
	end
