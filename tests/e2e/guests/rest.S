/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks to be sealed, and then never ends and rests, with interrupts off: the host's wake it, and it leaves the core to nobody. */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_SEAL, 1
1:	hlt
	jmp 1b
