/* SPDX-License-Identifier: GPL-2.0-only */
/* CLGI. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	clgi
	end
