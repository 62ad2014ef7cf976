/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and writes of registers, which are mapped: no exit. The last read is of an 82576 that is there. */
#include "tests/e2e/functions/function.h"

guest:
	seal
	mov $1000, %ecx
	mov $REGISTERS, %eax
1:	mov 8(%rax), %ebx
	mov 0x2800(%rax), %ebx /* of another page */
	movl $0, 0x100(%rax)
	mov TABLE - REGISTERS + 0x1000(%rax), %edx /* between table and PBA */
	dec %ecx
	jnz 1b
	mov %rbx, RESULT
at:	nop
	end
