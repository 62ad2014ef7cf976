// SPDX-License-Identifier: GPL-2.0-only
/* A hostile guest: for so many seconds, rubbish into every word of the rings' first page and over their bytes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rings/rings.h"

#define FUNCTION "/sys/bus/pci/devices/0000:00:01.0/"

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void rubbish(struct rings *rings, uint64_t *state)
{
	static const uint64_t edges[] = {
		0, 1, UINT64_MAX, 1ULL << 63, RINGS_LOG_SIZE, RINGS_LOG_SIZE + 1, 4096, 4097
	};
	_Atomic uint64_t *words = (_Atomic uint64_t *)rings;

	for (size_t i = 0; i < 4096 / sizeof(*words); i++) {
		uint64_t value = next(state);

		atomic_store_explicit(&words[i], value & 8 ? value : edges[value & 7], memory_order_relaxed);
	}
	words[next(state) % (RINGS_SIZE / sizeof(*words))] = next(state);
}

int main(int argc, char **argv)
{
	int enable = open(FUNCTION "enable", O_WRONLY), fd = open(FUNCTION "resource0", O_RDWR);
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
	uint64_t state = 88172645463325252ULL;
	struct rings *rings;

	/* only before the seal: after it that is what ends a guest */
	if (argc > 1 && atoi(argv[1]) == 2 && write(enable, "1", 1) != 1)
		perror(FUNCTION "enable");
	rings = mmap(NULL, RINGS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(enable);
	close(fd);
	if (rings == MAP_FAILED)
		return 1;
	while (time(NULL) < end)
		rubbish(rings, &state);
	return 0;
}
