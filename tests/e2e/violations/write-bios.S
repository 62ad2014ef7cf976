/* SPDX-License-Identifier: GPL-2.0-only */
/* A write where a PC has its ROM; here it is memory. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	movb $1, 0xf0000
	end
