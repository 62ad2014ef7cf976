/* SPDX-License-Identifier: GPL-2.0-only */
/* A byte to the serial port, which was there until the seal. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_SERIAL, %dx
	mov $'x', %al
at:	out %al, %dx
	end
