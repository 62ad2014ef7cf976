/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_E2E_PLANTED_H
#define TESTS_E2E_PLANTED_H

#include <stdint.h>

/*
 * The violation of guests that prove their life: no compiler's CPUID, but one whose address is known, the symbol
 * "planted". Both words lie in memory that outlives the guest: *@before is 1 when it is next, *@after when it was
 * passed.
 */
static __attribute__((noinline)) void plant(volatile uint64_t *before, volatile uint64_t *after)
{
	*before = 1;
	__asm__ volatile(".globl planted\n"
			 "planted: cpuid"
			 :
			 : "a"(0), "c"(0)
			 : "rbx", "rdx", "memory");
	*after = 1;
}

#endif
