/* SPDX-License-Identifier: GPL-2.0-only */
/* Never ends, and rests. */
#include "tests/e2e/guests/guest.h"

start:
	print "up\n"
loop:	hlt
	jmp loop
