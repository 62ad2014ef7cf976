/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RINGS_RINGS_H
#define RINGS_RINGS_H

/*
 * The rings: memory that a guest shares with its host, to talk without exits. The guest finds it as the only BAR of a
 * PCI function of ours and maps it through /sys/bus/pci/devices/.../resource0_wc; no driver is needed. nohype includes
 * this file, and so can any program in a guest: it needs nothing else, and no library but libc.
 *
 * A ring has one producer and one consumer. Each counts the bytes that it has put or taken since the start, and shows
 * its count to the other; a count only ever grows, and what is in the ring is the difference. Nobody is called when
 * something was put: both sides look every few milliseconds.
 *
 * For the host the guest is an enemy, who may write anything anywhere at any time. So whoever uses a ring keeps its own
 * count to itself, reads each count of the other's once, checks it and uses the copy. A count that can't be makes the
 * ring broken for good, and nothing is put into or taken from it any more.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * No vendor of PCI devices has 0x6e68 ("nh"), so no stock driver binds to it, or looks at it: all those of Red Hat's
 * 0x1af4, which shared memory for guests often has, are offered to virtio's.
 */
#define RINGS_PCI_VENDOR 0x6e68
#define RINGS_PCI_DEVICE 0x0001
#define RINGS_BAR	 0

#define RINGS_MAGIC   0x676e6972 /* "ring" */
#define RINGS_VERSION 1
#define RINGS_SIZE    (2 << 20) /* bytes of the BAR */

#define RINGS_CONSOLE_IN_SIZE  4096 /* bytes, a power of two as the others */
#define RINGS_CONSOLE_OUT_SIZE (64 << 10)
#define RINGS_LOG_SIZE	       (1 << 20)

/* Apart by a cache line each, as two processors write them. */
struct ring {
	_Alignas(64) _Atomic uint64_t put;   /* bytes ever, the producer's */
	_Alignas(64) _Atomic uint64_t taken; /* the consumer's */
};

/* What the host asks for: a number in `request` that counts up, and what it is about. */
enum rings_request { RINGS_REQUEST_NONE, RINGS_REQUEST_STOP };

struct rings {
	/* The host's, written before the guest starts and never read back. */
	uint32_t magic;
	uint32_t version;
	uint32_t size;
	uint32_t beat_ms; /* a beat is wanted this often; 0: none is */

	/* The host's, while the guest runs. */
	_Alignas(64) _Atomic uint32_t request; /* enum rings_request */
	_Atomic uint32_t window;	       /* the console's size: rows << 16 | columns; 0: not known */

	/* The guest's: a count that grows while all is well; and whether somebody there serves the console, requests.
	 */
	_Alignas(64) _Atomic uint64_t beats;
	_Alignas(64) _Atomic uint32_t serves_console;
	_Alignas(64) _Atomic uint32_t serves_requests;

	_Alignas(1024) struct ring console_in; /* host to guest; the other two are guest to host */
	struct ring console_out;
	struct ring log;

	_Alignas(4096) uint8_t console_in_bytes[RINGS_CONSOLE_IN_SIZE];
	uint8_t console_out_bytes[RINGS_CONSOLE_OUT_SIZE];
	uint8_t log_bytes[RINGS_LOG_SIZE];
};

_Static_assert(offsetof(struct rings, request) == 64 && offsetof(struct rings, beats) == 128 &&
		       offsetof(struct rings, serves_console) == 192 && offsetof(struct rings, serves_requests) == 256,
	       "version 1");
_Static_assert(offsetof(struct rings, console_in) == 1024 && offsetof(struct rings, console_out) == 1152 &&
		       offsetof(struct rings, log) == 1280 && offsetof(struct rings, console_in_bytes) == 4096 &&
		       offsetof(struct rings, log_bytes) == 8192 + (64 << 10) && sizeof(struct rings) <= RINGS_SIZE,
	       "version 1");

/* One side of a ring: what it keeps to itself. */
struct ring_end {
	struct ring *ring;
	uint8_t *bytes;
	uint64_t size;
	uint64_t count; /* bytes that this side has put or taken */
	bool broken;	/* the other side wrote what can't be */
};

/*
 * What was written before is there for the other side before what is written after, and what is read after isn't
 * older than what was read before: for the compiler, for a processor, and for memory mapped write-combining, where a
 * store's order is nobody's but MFENCE's.
 */
static inline void rings_fence(void)
{
#if defined(__x86_64__)
	__builtin_ia32_mfence();
#endif
	atomic_thread_fence(memory_order_seq_cst);
}

static inline struct ring_end ring_end(struct ring *ring, uint8_t *bytes, uint64_t size)
{
	return (struct ring_end){ .ring = ring, .bytes = bytes, .size = size };
}

/* Bytes that could be put now. */
static inline size_t ring_room(struct ring_end *end)
{
	uint64_t held = end->count - atomic_load_explicit(&end->ring->taken, memory_order_acquire);

	if (held > end->size)
		end->broken = true;
	return end->broken ? 0 : (size_t)(end->size - held);
}

/* Bytes that could be taken now. */
static inline size_t ring_filled(struct ring_end *end)
{
	uint64_t held = atomic_load_explicit(&end->ring->put, memory_order_acquire) - end->count;

	if (held > end->size)
		end->broken = true;
	return end->broken ? 0 : (size_t)held;
}

/* How many of @len bytes lie before the ring's end. */
static inline size_t ring_first(const struct ring_end *end, size_t len)
{
	size_t left = (size_t)(end->size - (end->count & (end->size - 1)));

	return len < left ? len : left;
}

/* Put what there is room for; how many bytes of @len that is. */
static inline size_t ring_put(struct ring_end *end, const void *bytes, size_t len)
{
	size_t room = ring_room(end), first;

	len = len < room ? len : room;
	if (!len)
		return 0;
	first = ring_first(end, len);
	rings_fence(); /* the other side has read what is overwritten now */
	memcpy(end->bytes + (end->count & (end->size - 1)), bytes, first);
	memcpy(end->bytes, (const uint8_t *)bytes + first, len - first);
	rings_fence();
	end->count += len;
	atomic_store_explicit(&end->ring->put, end->count, memory_order_release);
	return len;
}

/* Take what is there, at most @max bytes; how many. They are a copy: no one looks into the ring again. */
static inline size_t ring_take(struct ring_end *end, void *bytes, size_t max)
{
	size_t len = ring_filled(end), first;

	len = len < max ? len : max;
	if (!len)
		return 0;
	first = ring_first(end, len);
	rings_fence();
	memcpy(bytes, end->bytes + (end->count & (end->size - 1)), first);
	memcpy((uint8_t *)bytes + first, end->bytes, len - first);
	rings_fence();
	end->count += len;
	atomic_store_explicit(&end->ring->taken, end->count, memory_order_release);
	return len;
}

#endif
