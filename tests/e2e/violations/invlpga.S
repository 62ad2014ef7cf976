/* SPDX-License-Identifier: GPL-2.0-only */
/* INVLPGA. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $OUTSIDE, %eax
	mov $0, %ecx
at:	invlpga
	end
