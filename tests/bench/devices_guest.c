// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of `BENCH=devices make bench`: asks to be sealed (under other VMMs nothing is at that port), and then does
 * what tests/bench/devices.h says, by its network card and on the disks that it was given. It says nothing on the
 * console from then on, and needs nothing of the hypervisor.
 *
 * usage: devices-guest DISK...
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/ports.h"
#include "tests/bench/devices.h"

#define DISKS_MAX 4
#define SECTION	  4096 /* bytes that have a number of their own on a disk */
#define BUFFER	  (4 << 20)

struct guest {
	int socket;
	struct sockaddr_in peer; /* who asked last */
	uint32_t sink_id, sunk;
	int disks[DISKS_MAX];
	uint8_t *block;
	uint64_t random;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(const struct guest *guest, const void *bytes, size_t size)
{
	sendto(guest->socket, bytes, size, 0, (const struct sockaddr *)&guest->peer, sizeof(guest->peer));
}

static void sink(struct guest *guest, struct bench_packet *packet)
{
	if (packet->id != guest->sink_id)
		guest->sunk = 0;
	guest->sink_id = packet->id;
	guest->sunk++;
	if (!packet->last)
		return;
	packet->count = guest->sunk;
	answer(guest, packet, sizeof(*packet));
}

static void source(const struct guest *guest, struct bench_packet *packet)
{
	union {
		struct bench_packet packet;
		uint8_t bytes[BENCH_PACKET_MAX];
	} out = { .packet = *packet };

	for (uint32_t i = 0; i < packet->count; i++) {
		out.packet.last = i + 1 == packet->count;
		answer(guest, out.bytes, packet->size);
	}
}

/* Any section is told from any other. */
static uint64_t section_word(uint64_t number)
{
	return number * 0x9e3779b97f4a7c15ULL + 1;
}

static void block_stamp(uint8_t *block, uint64_t at, uint32_t size)
{
	for (uint32_t i = 0; i < size; i += SECTION) {
		uint64_t word = section_word((at + i) / SECTION);

		memcpy(block + i, &word, sizeof(word));
	}
}

static bool block_is_right(const uint8_t *block, uint64_t at, uint32_t size)
{
	for (uint32_t i = 0; i < size; i += SECTION) {
		uint64_t word = section_word((at + i) / SECTION);

		if (memcmp(block + i, &word, sizeof(word)) != 0)
			return false;
	}
	return true;
}

/* Of the area's blocks of that size the next, in order or any. */
static uint64_t block_choose(struct guest *guest, const struct bench_packet *packet, uint32_t nth)
{
	uint64_t blocks = BENCH_AREA / packet->size;

	guest->random = guest->random * 6364136223846793005 + 1442695040888963407;
	return (packet->op == BENCH_FILL ? nth % blocks : (guest->random >> 33) % blocks) * packet->size;
}

static void disk(struct guest *guest, struct bench_packet *packet)
{
	int fd = guest->disks[packet->disk];
	uint32_t done = 0;

	for (uint32_t i = 0; i < packet->count; i++) {
		uint64_t at = block_choose(guest, packet, i);
		ssize_t got;

		if (packet->op == BENCH_READ) {
			got = pread(fd, guest->block, packet->size, (off_t)at);
			packet->wrong += !block_is_right(guest->block, at, packet->size);
		} else {
			block_stamp(guest->block, at, packet->size);
			got = pwrite(fd, guest->block, packet->size, (off_t)at);
		}
		done += got == (ssize_t)packet->size;
	}
	packet->count = done;
	answer(guest, packet, sizeof(*packet));
}

static bool disk_is_sane(const struct guest *guest, const struct bench_packet *packet)
{
	return packet->disk < DISKS_MAX && guest->disks[packet->disk] >= 0 && packet->size >= SECTION &&
	       packet->size <= BENCH_BLOCK_MAX && packet->size % SECTION == 0;
}

static void act(struct guest *guest, struct bench_packet *packet, size_t size)
{
	switch (packet->op) {
	case BENCH_ECHO:
		answer(guest, packet, size);
		break;
	case BENCH_SINK:
		sink(guest, packet);
		break;
	case BENCH_SOURCE:
		if (packet->size >= sizeof(*packet) && packet->size <= BENCH_PACKET_MAX)
			source(guest, packet);
		break;
	case BENCH_FILL:
	case BENCH_READ:
	case BENCH_WRITE:
		if (disk_is_sane(guest, packet))
			disk(guest, packet);
		break;
	case BENCH_END:
		__asm__ volatile("cpuid" : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
		break;
	default:
		break;
	}
}

static void guest_open(struct guest *guest, int argc, char **argv)
{
	static uint8_t block[BENCH_BLOCK_MAX] __attribute__((aligned(SECTION))); /* as O_DIRECT wants it */
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(BENCH_PORT) };
	const int size = BUFFER;

	guest->socket = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(guest->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(guest->socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (bind(guest->socket, (const struct sockaddr *)&at, sizeof(at)))
		die("its port");
	guest->block = block;
	memset(block, 0x5a, sizeof(block));
	for (int i = 0; i < DISKS_MAX; i++)
		guest->disks[i] = -1;
	for (int i = 1; i < argc && i <= DISKS_MAX; i++) {
		guest->disks[i - 1] = open(argv[i], O_RDWR | O_DIRECT | O_CLOEXEC);
		if (guest->disks[i - 1] < 0)
			die(argv[i]);
	}
}

int main(int argc, char **argv)
{
	struct guest guest = { .random = 1 };
	union {
		struct bench_packet packet;
		uint8_t bytes[BENCH_PACKET_MAX];
	} in;

	guest_open(&guest, argc, argv);
	if (ioperm(PORT_SEAL, 1, 1) || mlockall(MCL_CURRENT))
		die("seal");
	outb(1, PORT_SEAL);
	for (;;) {
		socklen_t length = sizeof(guest.peer);
		ssize_t size =
			recvfrom(guest.socket, in.bytes, sizeof(in.bytes), 0, (struct sockaddr *)&guest.peer, &length);

		if (size >= (ssize_t)sizeof(in.packet))
			act(&guest, &in.packet, (size_t)size);
	}
}
