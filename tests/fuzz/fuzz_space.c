// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: any bytes as a function's configuration space, and any sizes of its BARs. Whatever a device says, it
 * is refused, or the table that a guest gets is one that the core manager takes, with windows inside the BARs, apart,
 * and not over the MSI-X table; tests/unit/space.h has the rules.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct function_space space;
	const char *wrong;
	int err;

	space_of_bytes(&space, data, size);
	wrong = space_wrong(&space, &err);
	if (!wrong)
		return 0;
	puts(wrong);
	abort();
}
