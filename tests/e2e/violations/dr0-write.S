/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of DR0. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0, %eax
at:	mov %rax, %db0
	end
