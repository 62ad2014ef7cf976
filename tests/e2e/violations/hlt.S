/* SPDX-License-Identifier: GPL-2.0-only */
/* HLT: passes where the host could switch its exit off, and ends at any interrupt of the host's. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	hlt
	end
