/* SPDX-License-Identifier: GPL-2.0-only */
/* Goes on where there is no memory: nothing that KVM could run. */
#include "tests/e2e/guests/guest.h"

start:
	mov $0xd0000000, %eax
	jmp *%eax
