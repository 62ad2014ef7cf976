/* SPDX-License-Identifier: GPL-2.0-only */
/* WBINVD. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	wbinvd
	end
