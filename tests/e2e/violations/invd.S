/* SPDX-License-Identifier: GPL-2.0-only */
/* INVD. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	invd
	end
