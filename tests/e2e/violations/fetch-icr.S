/* SPDX-License-Identifier: GPL-2.0-only */
/* A jump into the interrupt command register: not what the exception is for. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $LAPIC_BASE + ICR, %eax
	jmp *%rax
	.set at, LAPIC_BASE + ICR
	end
