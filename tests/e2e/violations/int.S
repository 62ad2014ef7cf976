/* SPDX-License-Identifier: GPL-2.0-only */
/* A software interrupt: the guest's own business. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	int $20
	end
