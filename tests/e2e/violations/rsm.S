/* SPDX-License-Identifier: GPL-2.0-only */
/* RSM outside of SMM. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	rsm
	end
