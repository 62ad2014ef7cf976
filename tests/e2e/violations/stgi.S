/* SPDX-License-Identifier: GPL-2.0-only */
/* STGI. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	stgi
	end
