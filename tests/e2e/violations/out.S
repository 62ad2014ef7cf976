/* SPDX-License-Identifier: GPL-2.0-only */
/* OUT to a port that nobody has. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x80, %dx
at:	out %al, %dx
	end
