/* SPDX-License-Identifier: GPL-2.0-only */
/* The PCI configuration space, which was there until the seal. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $PORT_PCI_ADDRESS, %dx
	mov $0x80000000, %eax
at:	out %eax, %dx
	end
