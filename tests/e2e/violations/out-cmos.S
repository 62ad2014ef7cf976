/* SPDX-License-Identifier: GPL-2.0-only */
/* The clock of a PC. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0, %al
at:	out %al, $0x70
	end
