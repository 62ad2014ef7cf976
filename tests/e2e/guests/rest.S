/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks to be sealed, and then never ends and rests, with interrupts off: at 0x8000 it counts what wakes it. */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_SEAL, 1
1:	hlt
	addl $1, 0x8000
	adcl $0, 0x8004
	jmp 1b
