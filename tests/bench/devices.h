/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_BENCH_DEVICES_H
#define TESTS_BENCH_DEVICES_H

#include <stdint.h>

/*
 * The datagrams between a guest and the program beside it on its host, of which each begins so, in the processor's own
 * byte order. The guest does what it is asked, one thing after the other, and says what came of it.
 */
#define BENCH_PORT 7007

enum bench_op {
	BENCH_ECHO = 1, /* it sends the same back */
	BENCH_SINK,	/* it counts those of this @id, and with @last set says how many came: @count */
	BENCH_SOURCE,	/* it sends @count such of @size bytes */
	BENCH_FILL,	/* it writes @count blocks of @size bytes of disk @disk, from its begin on */
	BENCH_READ,	/* it reads as many, anywhere on what was filled, and looks what is in them */
	BENCH_WRITE,	/* or writes as many. All three answer with @count, done, and @wrong, with other content */
	BENCH_END,	/* it executes a CPUID: no answer */
};

struct bench_packet {
	uint32_t op;
	uint32_t id;
	uint32_t count;
	uint32_t size;
	uint32_t last;
	uint32_t disk;
	uint32_t wrong;
	uint32_t unused;
};

#define BENCH_PACKET_MAX 1472	       /* what an Ethernet frame has room for */
#define BENCH_BLOCK_MAX	 (1 << 20)     /* bytes */
#define BENCH_AREA	 (32ULL << 20) /* bytes of a disk that are worked on, from its begin on */

#endif
