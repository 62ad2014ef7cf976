/* SPDX-License-Identifier: GPL-2.0-only */
/* Configuration space by the enhanced mechanism, where a PC often has it: here nothing is. */
#include "tests/e2e/functions/function.h"

guest:
	seal
	mov $0xe0000000 | PCI_SLOT << 15, %eax
at:	mov (%rax), %ebx
	end
