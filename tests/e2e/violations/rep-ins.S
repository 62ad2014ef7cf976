/* SPDX-License-Identifier: GPL-2.0-only */
/* INS of several. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_SERIAL, %dx
	mov $RESULT, %rdi
	mov $4, %ecx
at:	rep insl
	end
