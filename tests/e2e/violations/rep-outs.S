/* SPDX-License-Identifier: GPL-2.0-only */
/* OUTS of several, to an end port: no clean end. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_POWER_OFF, %dx
	mov $BEFORE, %rsi
	mov $4, %ecx
at:	rep outsb
	end
