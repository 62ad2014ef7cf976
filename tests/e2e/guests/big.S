/* SPDX-License-Identifier: GPL-2.0-only */
/* Powers off, but wants 256 MiB first. */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_POWER_OFF, ((SLEEP_TYPE << 2) + 0x20)
halt:	hlt
	jmp halt

	.bss
	.skip 256 << 20
