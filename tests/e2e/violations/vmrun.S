/* SPDX-License-Identifier: GPL-2.0-only */
/* VMRUN. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x20000, %eax
at:	vmrun
	end
