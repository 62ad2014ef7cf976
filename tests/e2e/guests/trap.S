/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks to be sealed, and then counts at 0x8000 and needs nothing, until the word at 0x8010 is written: then it does
 * what is forbidden.
 */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_SEAL, 1
1:	incl 0x8000
	cmpl $0, 0x8010
	je 1b
	mov $0x80, %dx
	out %al, %dx
	jmp 1b
