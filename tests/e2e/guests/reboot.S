/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks for a reset, as a reboot does: nothing is left for the BIOS at 0x472. */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_REBOOT, REBOOT_VALUE
halt:	hlt
	jmp halt
