/* SPDX-License-Identifier: GPL-2.0-only */
/* An end port, but four bytes of it: no clean end. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_POWER_OFF, %dx
	mov $SLEEP_TYPE << 2 | 0x20, %eax
at:	out %eax, %dx
	end
