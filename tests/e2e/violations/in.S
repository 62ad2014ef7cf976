/* SPDX-License-Identifier: GPL-2.0-only */
/* IN from a port that nobody has. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x80, %dx
at:	in %dx, %al
	end
