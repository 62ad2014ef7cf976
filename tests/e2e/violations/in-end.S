/* SPDX-License-Identifier: GPL-2.0-only */
/* An end port, but read. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_POWER_OFF, %dx
at:	in %dx, %al
	end
