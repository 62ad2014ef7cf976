/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seals itself when the word at 0x8018 is 1 or more, and then spins until it is 2 before it does what ends
 * it. Who has the memory fd writes it.
 */
#include "tests/e2e/violations/guest.h"

guest:
1:	pause
	cmpl $1, RESULT
	jb 1b
	seal
1:	pause
	cmpl $2, RESULT
	jb 1b
	mov $0x80, %dx
at:	out %al, %dx
	end
