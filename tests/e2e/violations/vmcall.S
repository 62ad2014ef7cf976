/* SPDX-License-Identifier: GPL-2.0-only */
/* A call to the hypervisor in Intel's way: on an AMD processor undefined, and KVM watches that. */
#include "tests/e2e/violations/guest.h"

guest:
	seal
	mov $5, %eax
at:	vmcall
	end
