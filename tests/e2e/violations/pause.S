/* SPDX-License-Identifier: GPL-2.0-only */
/* PAUSE: passes where the host could switch its exit off. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	pause
	end
