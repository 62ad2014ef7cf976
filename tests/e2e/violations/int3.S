/* SPDX-License-Identifier: GPL-2.0-only */
/* INT3: a breakpoint is the guest's own business. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	int3
	end
