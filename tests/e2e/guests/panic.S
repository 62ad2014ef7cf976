/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that can say that it panicked. */
#include "tests/e2e/guests/guest.h"

start:
	send PORT_PANIC, 0
halt:	hlt
	jmp halt
