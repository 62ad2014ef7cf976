/* SPDX-License-Identifier: GPL-2.0-only */
/* The seal port again: one seal is all there is. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_SEAL, %dx
	mov $1, %al
at:	out %al, %dx
	end
