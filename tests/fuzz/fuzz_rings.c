// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: a hostile guest. The input is what it writes: 8 bytes at a time, a place in the shared memory and a
 * value, and between the writes the host's side does its round. Whatever stands there, that ends, takes no more than a
 * ring holds, and reads and writes nothing but the memory (ASan) and its own buffers.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rings/rings.h"
#include "vmm/rings/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int held)
{
	if (!held)
		abort();
}

static struct rings_process *process_make(void)
{
	struct rings_process *process = calloc(1, sizeof(*process));
	struct rings *shared = aligned_alloc(4096, RINGS_SIZE);

	require(process && shared);
	memset(shared, 0, RINGS_SIZE);
	process->shared = shared;
	process->serial_fd = -1;
	process->to_rings = true;
	for (unsigned int i = 0; i < CLIENTS_MAX; i++)
		process->clients[i].fd = -1;
	process->console = (struct stream){ .bytes = malloc(CONSOLE_HISTORY), .size = CONSOLE_HISTORY };
	process->logged = (struct stream){ .bytes = malloc(LOG_HISTORY), .size = LOG_HISTORY };
	require(process->console.bytes && process->logged.bytes);
	process->console_in = ring_end(&shared->console_in, shared->console_in_bytes, RINGS_CONSOLE_IN_SIZE);
	process->console_out = ring_end(&shared->console_out, shared->console_out_bytes, RINGS_CONSOLE_OUT_SIZE);
	process->log = ring_end(&shared->log, shared->log_bytes, RINGS_LOG_SIZE);
	process->heart = (struct heart){ .beat_ms = 1000, .missed = 5 };
	return process;
}

static void process_free(struct rings_process *process)
{
	free(process->console.bytes);
	free(process->logged.bytes);
	free(process->shared);
	free(process);
}

static void round_do(struct rings_process *process, int64_t now)
{
	uint64_t console = process->console.count, logged = process->logged.count;

	process->typed_count = sizeof(process->typed) / 2;
	typed_pass(process);
	rings_pump(process, now);
	heart_check(&process->heart, process->shared, now);
	require(process->console.count - console <= RINGS_CONSOLE_OUT_SIZE);
	require(process->logged.count - logged <= RINGS_LOG_SIZE);
	require(stream_oldest(&process->logged) <= process->logged.count);
	require(stream_line(&process->console) <= process->console.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rings_process *process = process_make();

	for (size_t at = 0; at + 8 <= size && at < 8 * 64; at += 8) {
		uint64_t value = 0;
		uint16_t place;

		memcpy(&place, data + at, sizeof(place));
		memcpy(&value, data + at + sizeof(place), 6);
		if (value & 1) /* the high half too */
			value = -(value >> 1);
		memcpy((uint8_t *)process->shared + place % (4096 - 8), &value, sizeof(value));
		round_do(process, (int64_t)at * 1000000000);
	}
	process_free(process);
	return 0;
}
