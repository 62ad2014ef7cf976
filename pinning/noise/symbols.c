// SPDX-License-Identifier: GPL-2.0-only
/* Names for the kernel's functions. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pinning/noise/internal.h"

#define KALLSYMS       "/proc/kallsyms"
#define LINE_MAX_BYTES 512

struct best {
	uint64_t wanted, address;
	char name[NOISE_NAME_MAX];
};

/* Its lines are sorted within the kernel, not beyond it: the nearest at or below each address is kept. */
static void symbols_look(FILE *file, struct best *best, size_t count)
{
	char line[LINE_MAX_BYTES], name[NOISE_NAME_MAX];
	uint64_t address;

	while (fgets(line, sizeof(line), file)) {
		char *end;

		address = strtoull(line, &end, 16);
		if (!address || sscanf(end, " %*c %63s", name) != 1)
			continue;
		for (size_t i = 0; i < count; i++) {
			if (best[i].wanted < address || best[i].address >= address)
				continue;
			best[i].address = address;
			memcpy(best[i].name, name, sizeof(name));
		}
	}
}

static void best_name(const struct best *best, char *name)
{
	if (best->address)
		memcpy(name, best->name, NOISE_NAME_MAX);
	else
		snprintf(name, NOISE_NAME_MAX, "at 0x%" PRIx64, best->wanted);
}

/*
 * A call's interrupt is sent for a function of kernel/smp.c's, and irq work's (kernel/irq_work.c, irq_work_raise()) for
 * that work's own, which says more than where it was put off.
 */
static bool is_call(const char *callback)
{
	return strncmp(callback, "generic_smp_call_function", strlen("generic_smp_call_function")) == 0;
}

/* A sender's name is the function's and the thread's. */
static void source_name(struct noise_source *source, const struct best *best, const struct best *callback)
{
	char function[NOISE_NAME_MAX], thread[NOISE_NAME_MAX];

	if (source->callback && callback->address && !is_call(callback->name)) {
		source->kind = NOISE_IRQ_WORK;
		best = callback;
	}
	best_name(best, function);
	memcpy(thread, source->name, sizeof(thread));
	if (thread[0])
		snprintf(source->name, sizeof(source->name), "%.40s (%.20s)", function, thread);
	else
		memcpy(source->name, function, sizeof(function));
	source->address = source->callback = 0;
}

void symbols_name(struct noise *noise)
{
	size_t count = noise->nsources;
	struct best *best = calloc(2 * count + 1, sizeof(*best)); /* the addresses, then the callbacks */
	FILE *file = best ? fopen(KALLSYMS, "re") : NULL;

	for (size_t i = 0; best && i < count; i++) {
		best[i].wanted = noise->sources[i].address;
		best[count + i].wanted = noise->sources[i].callback;
	}
	if (file)
		symbols_look(file, best, 2 * count);
	else if (best)
		noise_miss(noise, KALLSYMS ": %s: functions come as addresses", strerror(errno));
	for (size_t i = 0; best && i < count; i++)
		if (noise->sources[i].address)
			source_name(&noise->sources[i], &best[i], &best[count + i]);
	if (file)
		fclose(file);
	free(best);
}
