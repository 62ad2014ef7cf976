/* SPDX-License-Identifier: GPL-2.0-only */
/* A write of DR7: the first use of a debug register. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x400, %eax
at:	mov %rax, %db7
	end
