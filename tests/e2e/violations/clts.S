/* SPDX-License-Identifier: GPL-2.0-only */
/* CLTS: free. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	clts
	end
