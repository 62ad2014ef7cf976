/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints for ever. */
#include "tests/e2e/guests/guest.h"

start:
loop:	print "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"
	jmp loop
