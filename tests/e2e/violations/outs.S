/* SPDX-License-Identifier: GPL-2.0-only */
/* OUTS, once. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x80, %dx
	mov $BEFORE, %rsi
at:	outsb
	end
