/* SPDX-License-Identifier: GPL-2.0-only */
/* A call to the hypervisor. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $5, %eax
at:	vmmcall
	end
