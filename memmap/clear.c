// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "memmap/memmap.h"

/* True if [@bytes, @bytes + @len), a multiple of 8, is all zero. */
static bool bytes_are_zero(const uint8_t *bytes, uint64_t len)
{
	uint64_t seen = 0, word;

	for (uint64_t at = 0; at < len; at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		seen |= word;
	}
	return seen == 0;
}

int memory_clear(struct memory *mem)
{
	int err = memory_map(mem);

	if (err)
		return err;
	memset(mem->host, 0, mem->layout.size);
	if (!bytes_are_zero(mem->host, mem->layout.size))
		err = fail(-EIO, "memory: something wrote to it while it was cleared");
	memory_unmap(mem);
	return err;
}
