/* SPDX-License-Identifier: GPL-2.0-only */
/* MONITOR: passes where the host could switch its exit off. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $BEFORE, %rax
	mov $0, %ecx
	mov $0, %edx
at:	monitor
	end
