/* SPDX-License-Identifier: GPL-2.0-only */
/* INT1: a debug exception, which KVM watches. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	.byte 0xf1
	end
