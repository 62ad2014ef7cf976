/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks to be sealed, works for a moment, and then executes what no sealed guest may. */
#include "tests/e2e/guests/guest.h"

#define MOMENT 0x100 /* 2^20 ticks of the TSC each: a tenth of a second or so in all */

.macro ticks
	rdtsc
	shrd $20, %edx, %eax
.endm

start:
	send PORT_SEAL, 1
	ticks
	lea MOMENT(%eax), %ebx
1:	ticks
	cmp %ebx, %eax
	js 1b
	cpuid
2:	jmp 2b
