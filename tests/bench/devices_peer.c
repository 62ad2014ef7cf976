// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's side of `BENCH=devices make bench`: asks the guest at ADDRESS for what each line of standard input says,
 * and answers with a line when it is done. What is lost on the way is counted, and doesn't hold it up.
 *
 * usage: devices-peer ADDRESS
 *   echo COUNT SIZE		round trips, one after the other
 *   sink BURSTS COUNT SIZE	bursts of datagrams to the guest, each acknowledged
 *   source BURSTS COUNT SIZE	bursts from it, each asked for
 *   fill|read|write DISK COUNT SIZE	blocks of its disk; answers with those done and those with wrong content
 *   end			it ends itself
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "tests/bench/devices.h"

#define PATIENCE      2 /* seconds, of which a datagram is lost */
#define DISK_PATIENCE 60
#define BUFFER	      (4 << 20)

union datagram {
	struct bench_packet packet;
	uint8_t bytes[BENCH_PACKET_MAX];
};

struct peer {
	int socket;
	uint32_t id;
	unsigned int packets; /* both ways */
	unsigned int lost;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void patience(const struct peer *peer, int seconds)
{
	const struct timeval time = { .tv_sec = seconds };

	setsockopt(peer->socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
}

static void ask(struct peer *peer, union datagram *datagram, size_t size)
{
	datagram->packet.id = peer->id;
	if (send(peer->socket, datagram->bytes, size, 0) == (ssize_t)size)
		peer->packets++;
}

/* The next that answers what was asked last; false: it doesn't come. */
static bool hear(struct peer *peer, union datagram *datagram)
{
	do {
		if (recv(peer->socket, datagram->bytes, sizeof(datagram->bytes), 0) < 0)
			return false;
	} while (datagram->packet.id != peer->id);
	peer->packets++;
	return true;
}

static void echo(struct peer *peer, unsigned int count, unsigned int size)
{
	for (unsigned int i = 0; i < count; i++) {
		union datagram datagram = { .packet = { .op = BENCH_ECHO } };

		peer->id++;
		ask(peer, &datagram, size);
		peer->lost += !hear(peer, &datagram);
	}
}

static void sink(struct peer *peer, unsigned int bursts, unsigned int count, unsigned int size)
{
	for (unsigned int i = 0; i < bursts; i++) {
		union datagram datagram = { .packet = { .op = BENCH_SINK } };

		peer->id++;
		for (unsigned int j = 0; j < count; j++) {
			datagram.packet.last = j + 1 == count;
			ask(peer, &datagram, size);
		}
		if (hear(peer, &datagram))
			peer->lost += count - datagram.packet.count;
		else
			peer->lost += count;
	}
}

static void source(struct peer *peer, unsigned int bursts, unsigned int count, unsigned int size)
{
	for (unsigned int i = 0; i < bursts; i++) {
		union datagram datagram = { .packet = { .op = BENCH_SOURCE, .count = count, .size = size } };
		unsigned int left = count;

		peer->id++;
		ask(peer, &datagram, sizeof(datagram.packet));
		while (left && hear(peer, &datagram))
			left = datagram.packet.last ? 0 : left - 1;
		peer->lost += left;
	}
}

static void disk(struct peer *peer, enum bench_op op, unsigned int number, unsigned int count, unsigned int size)
{
	union datagram datagram = { .packet = { .op = op, .disk = number, .count = count, .size = size } };

	peer->id++;
	ask(peer, &datagram, sizeof(datagram.packet));
	patience(peer, DISK_PATIENCE);
	if (hear(peer, &datagram))
		printf("done %u %u\n", datagram.packet.count, datagram.packet.wrong);
	else
		printf("failed: no answer after %d s\n", DISK_PATIENCE);
	patience(peer, PATIENCE);
}

/* Sizes and counts come from our own program: only what would write past a buffer is looked at. */
static void line_do(struct peer *peer, const char *line)
{
	unsigned int a = 0, b = 0, c = 0;
	char word[16] = "";
	int words = sscanf(line, "%15s %u %u %u", word, &a, &b, &c);
	unsigned int size = words == 3 ? b : c;
	union datagram end = { .packet = { .op = BENCH_END } };

	*peer = (struct peer){ .socket = peer->socket, .id = peer->id };
	if (strcmp(word, "end") == 0)
		ask(peer, &end, sizeof(end.packet));
	else if (strcmp(word, "fill") == 0)
		return disk(peer, BENCH_FILL, a, b, c);
	else if (strcmp(word, "read") == 0)
		return disk(peer, BENCH_READ, a, b, c);
	else if (strcmp(word, "write") == 0)
		return disk(peer, BENCH_WRITE, a, b, c);
	else if (size < sizeof(struct bench_packet) || size > BENCH_PACKET_MAX)
		return (void)printf("failed: size %u\n", size);
	else if (strcmp(word, "echo") == 0)
		echo(peer, a, b);
	else if (strcmp(word, "sink") == 0)
		sink(peer, a, b, c);
	else if (strcmp(word, "source") == 0)
		source(peer, a, b, c);
	printf("done %u %u\n", peer->packets, peer->lost);
}

int main(int argc, char **argv)
{
	struct sockaddr_in guest = { .sin_family = AF_INET, .sin_port = htons(BENCH_PORT) };
	struct peer peer = { .socket = socket(AF_INET, SOCK_DGRAM, 0) };
	const int size = BUFFER;
	char line[128];

	if (argc != 2 || inet_pton(AF_INET, argv[1], &guest.sin_addr) != 1) {
		fputs("usage: devices-peer ADDRESS\n", stderr);
		return 2;
	}
	setsockopt(peer.socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (connect(peer.socket, (const struct sockaddr *)&guest, sizeof(guest)))
		die(argv[1]);
	patience(&peer, PATIENCE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin))
		line_do(&peer, line);
	return 0;
}
