/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the TSC with interrupts off for 2^36 of its ticks, from 15 to 30 seconds: RESULT counts the reads, GAP is the longest
 * time between two of them, in ticks, and GAPS how many were over 2^14: what was taken from the guest. Then an OUT.
 */
#ifndef TICKS_LOG2
#define TICKS_LOG2 36
#endif
#include "tests/e2e/violations/guest.h"

#define GAP  (RESULT + 8)
#define GAPS (RESULT + 16)

.macro ticks
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
.endm

guest:
	seal
	ticks
	mov %rax, %rbx
	mov %rax, %rcx
1:	incq RESULT
	ticks
	mov %rax, %rdx
	sub %rcx, %rdx
	mov %rax, %rcx
	cmp $1 << 14, %rdx
	jb 2f
	incq GAPS
2:	cmp GAP, %rdx
	jb 3f
	mov %rdx, GAP
3:	sub %rbx, %rax
	shr $TICKS_LOG2, %rax
	jz 1b
	mov $0x80, %dx
at:	out %al, %dx
	end
