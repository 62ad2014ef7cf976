/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks to be sealed, and then never ends and needs nothing: it counts at 0x8000, with interrupts off. */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_SEAL, 1
1:	addl $1, 0x8000
	adcl $0, 0x8004
	jmp 1b
