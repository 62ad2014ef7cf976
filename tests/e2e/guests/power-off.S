/* SPDX-License-Identifier: GPL-2.0-only */
/* Powers off. */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_POWER_OFF, ((SLEEP_TYPE << 2) + 0x20)
halt:	hlt
	jmp halt
