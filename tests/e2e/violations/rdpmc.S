/* SPDX-License-Identifier: GPL-2.0-only */
/* RDPMC. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0, %ecx
at:	rdpmc
	end
