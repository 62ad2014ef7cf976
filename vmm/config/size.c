// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/config.h"

#include <errno.h>
#include <string.h>

int size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	uint64_t size = 0;
	const char *unit;

	/* A bare number is refused: whoever writes "512" means MiB as often as bytes. */
	if (digits == 0 || text[digits] == '\0' || text[digits + 1] != '\0')
		return -EINVAL;
	unit = strchr(units, text[digits]);
	if (!unit)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(size, 10, &size) || __builtin_add_overflow(size, text[i] - '0', &size))
			return -ERANGE;
	}
	if (__builtin_mul_overflow(size, UINT64_C(1) << (10 * (unit - units + 1)), &size))
		return -ERANGE;
	*bytes = size;
	return 0;
}
