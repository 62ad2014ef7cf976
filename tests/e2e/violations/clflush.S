/* SPDX-License-Identifier: GPL-2.0-only */
/* CLFLUSH: free. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	clflush BEFORE
	end
