/* SPDX-License-Identifier: GPL-2.0-only */
/* MWAIT: passes where the host could switch its exit off, and ends at any interrupt. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0, %eax
	mov $0, %ecx
at:	mwait
	end
