/* SPDX-License-Identifier: GPL-2.0-only */
/* UD2, as in a WARN of Linux: KVM watches undefined instructions. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	ud2
	end
