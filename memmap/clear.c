// SPDX-License-Identifier: GPL-2.0-only
/* Zeroes over all that a guest left, by as many threads as there are CPUs for this process. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "memmap/memmap.h"

#define PARTS_MAX 64
#define PART_MIN  MIB(16) /* less isn't worth a thread */

struct part {
	uint8_t *bytes;
	uint64_t len;
	bool stayed; /* all of it was zero when read back */
	bool started;
	pthread_t thread;
};

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

static void *part_clear(void *arg)
{
	struct part *part = arg;

	memset(part->bytes, 0, part->len);
	part->stayed = bytes_are_zero(part->bytes, part->len);
	return NULL;
}

static unsigned int parts_wanted(uint64_t size)
{
	unsigned int cpus = 1;
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set))
		cpus = MAX((unsigned int)CPU_COUNT(&set), 1U);
	return (unsigned int)MIN(MIN((uint64_t)cpus, (uint64_t)PARTS_MAX), MAX(size / PART_MIN, 1U));
}

/* The first part is this thread's, and those for which there is no thread to be had. */
static bool parts_clear(uint8_t *bytes, uint64_t size)
{
	struct part parts[PARTS_MAX];
	unsigned int count = parts_wanted(size);
	uint64_t each = align_up(size / count, MIB(2)), done = 0;
	bool stayed = true;

	for (unsigned int i = 0; i < count; i++) {
		parts[i] = (struct part){ .bytes = bytes + done, .len = MIN(each, size - done) };
		done += parts[i].len;
		parts[i].started = i && !pthread_create(&parts[i].thread, NULL, part_clear, &parts[i]);
	}
	for (unsigned int i = 0; i < count; i++) {
		if (!parts[i].started)
			part_clear(&parts[i]);
		else
			pthread_join(parts[i].thread, NULL);
		stayed &= parts[i].stayed;
	}
	return stayed;
}

int memory_clear(struct memory *mem)
{
	int err = memory_map(mem);

	if (err)
		return err;
	if (!parts_clear(mem->host, mem->layout.size))
		err = fail(-EIO, "memory: something wrote to it while it was cleared");
	memory_unmap(mem);
	return err;
}
