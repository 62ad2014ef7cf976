/* SPDX-License-Identifier: GPL-2.0-only */
/* A triple fault: an exception without a table to find its handler by. */
#include "tests/e2e/violations/guest.h"

guest:
	lidt none
	seal
at:	int3
	end
