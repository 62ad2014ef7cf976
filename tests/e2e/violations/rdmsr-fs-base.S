/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR that no one watches: FS_BASE. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0xc0000100, %ecx
at:	rdmsr
	end
