/* SPDX-License-Identifier: GPL-2.0-only */
/* RDTSC: free. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	rdtsc
	end
