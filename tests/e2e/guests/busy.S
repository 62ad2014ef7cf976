/* SPDX-License-Identifier: GPL-2.0-only */
/* Never ends, and never rests. */
#include "tests/e2e/guests/guest.h"

start:
	print "up\n"
loop:	pause
	jmp loop
