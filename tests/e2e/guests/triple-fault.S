/* SPDX-License-Identifier: GPL-2.0-only */
/* An exception without a table to find its handler by. */
#include "tests/e2e/guests/guest.h"

start:
	lidt none
	int3
none:	.word 0
	.long 0
