// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the guest: answers HTTP requests, each with its number, and counts them where the host finds it when the guest is
 * dead (memmap=4K$0x8000 on the command line). "GET /end" is answered by one CPUID, of which a sealed guest must die.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/planted.h"

#define EVIDENCE 0x8000

struct evidence {
	volatile uint64_t before; /* 1: the CPUID is next */
	volatile uint64_t after;  /* 1: it was passed */
	volatile uint64_t served;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct evidence *evidence_map(void)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, EVIDENCE);

	if (at == MAP_FAILED)
		die("/dev/mem");
	memset(at, 0, sizeof(struct evidence));
	return at;
}

static void answer(int fd, struct evidence *evidence)
{
	char request[2048], text[256], body[32];
	size_t len = 0;
	ssize_t got;
	int size;

	while (len < sizeof(request) - 1 && (got = read(fd, request + len, sizeof(request) - 1 - len)) > 0) {
		len += (size_t)got;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	if (strncmp(request, "GET /end ", 9) == 0)
		plant(&evidence->before, &evidence->after);
	size = snprintf(body, sizeof(body), "%llu\n", (unsigned long long)++evidence->served);
	size = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			size, body);
	if (write(fd, text, (size_t)size) != size)
		perror("write");
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct evidence *evidence = evidence_map();
	int one = 1, sock = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof(at)) || listen(sock, 64))
		die("port 80");
	for (;;) {
		int fd = accept(sock, NULL, NULL);

		if (fd < 0)
			continue;
		answer(fd, evidence);
		close(fd);
	}
}
