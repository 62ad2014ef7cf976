/* SPDX-License-Identifier: GPL-2.0-only */
/* The instruction after the trap flag is set: a debug exception, which KVM watches. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	pushf
	orl $0x100, (%rsp)
	popf
	nop
at:	nop
	end
