/* SPDX-License-Identifier: GPL-2.0-only */
/* Configuration space of the function, by mechanism 1: the data, of which the address was written before. */
#include "tests/e2e/functions/function.h"

guest:
	mov $PORT_PCI_ADDRESS, %dx
	mov $FUNCTION, %eax
	out %eax, %dx
	seal
	mov $PORT_PCI_DATA, %dx
at:	in %dx, %eax
	end
