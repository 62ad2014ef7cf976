/* SPDX-License-Identifier: GPL-2.0-only */
/* A write just beyond the end of memory (64 MiB, of which all but the first 2 lie from 16 MiB on). */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $0x4e00000, %eax
at:	movb $1, (%rax)
	end
