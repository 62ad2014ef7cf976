/* SPDX-License-Identifier: GPL-2.0-only */
/* Works with interrupts off for 2^33 ticks of the TSC, some seconds: RESULT counts it. Then an OUT. */
#ifndef TICKS_LOG2
#define TICKS_LOG2 33
#endif
#include "tests/e2e/violations/guest.h"

guest:
	seal
	rdtsc
	shl $32, %rdx
	lea (%rdx, %rax), %rbx
1:	incq RESULT
	rdtsc
	shl $32, %rdx
	add %rdx, %rax
	sub %rbx, %rax
	shr $TICKS_LOG2, %rax
	jz 1b
	mov $0x80, %dx
at:	out %al, %dx
	end
