/* SPDX-License-Identifier: GPL-2.0-only */
/* The other way: a guest that does nothing forbidden lives. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	nop
	end
