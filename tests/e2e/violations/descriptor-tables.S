/* SPDX-License-Identifier: GPL-2.0-only */
/* SGDT, SIDT, LIDT and LTR are free. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
at:	sgdt RESULT
	sidt RESULT
	lidt idt_at
	lgdt gdt_at
	end
