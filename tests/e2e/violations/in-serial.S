/* SPDX-License-Identifier: GPL-2.0-only */
/* A look at the serial port. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_SERIAL + 5, %dx
at:	in %dx, %al
	end
