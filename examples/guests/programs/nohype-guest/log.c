// SPDX-License-Identifier: GPL-2.0-only
#include "examples/guests/programs/nohype-guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK	   65536
#define RECORD_MAX 8192 /* bytes of a record of the kernel's: include/linux/printk.h has less */
#define FULL_WAIT  1	/* ms until a full ring is tried again */

/* All of it, however long the host takes: nothing is lost. */
static int log_put(struct ring_end *log, const char *bytes, size_t len)
{
	while (len) {
		size_t put = ring_put(log, bytes, len);

		bytes += put;
		len -= put;
		if (log->broken) {
			fprintf(stderr, "nohype-guest: error: the log's ring is broken\n");
			return EXIT_ERROR;
		}
		if (len)
			sleep_ms(FULL_WAIT);
	}
	return EXIT_OK;
}

static int input_log(struct ring_end *log)
{
	static char bytes[CHUNK];

	for (;;) {
		ssize_t len = read(STDIN_FILENO, bytes, sizeof(bytes));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return complain("standard input", "");
		if (len == 0)
			return EXIT_OK;
		if (log_put(log, bytes, (size_t)len))
			return EXIT_ERROR;
	}
}

/* "PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT", and lines of detail that begin with a space: kernel's dev-kmsg. */
static int record_log(struct ring_end *log, char *record)
{
	unsigned long long time = 0;
	char line[RECORD_MAX + 32];
	char *text = strchr(record, ';');
	int len;

	if (!text)
		return EXIT_OK;
	sscanf(record, "%*u,%*u,%llu", &time);
	text++;
	text[strcspn(text, "\n")] = '\0';
	len = snprintf(line, sizeof(line), "[%5llu.%06llu] %s\n", time / 1000000, time % 1000000, text);
	return log_put(log, line, (size_t)len);
}

/* From its oldest record on, and then for ever. */
static int kernel_log(struct ring_end *log)
{
	char record[RECORD_MAX + 1];
	int fd;

	if (streams_close(STDIN_FILENO))
		return EXIT_ERROR;
	fd = open("/dev/kmsg", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return EXIT_ERROR;
	for (;;) {
		ssize_t len = read(fd, record, sizeof(record) - 1);

		if (len < 0 && (errno == EINTR || errno == EPIPE)) /* EPIPE: some were overwritten; the next is there */
			continue;
		if (len <= 0)
			break;
		record[len] = '\0';
		if (record_log(log, record))
			break;
	}
	close(fd);
	return EXIT_ERROR;
}

int log_main(int argc, char **argv)
{
	int kernel = argc == 1 && !strcmp(argv[0], "--kernel");
	struct rings *rings;
	struct ring_end log;

	if (argc != kernel)
		return usage_wrong();
	if (kernel && access("/dev/kmsg", R_OK))
		return complain("/dev/kmsg", "");
	rings = rings_open(ROLE_LOG);
	if (!rings)
		return EXIT_ERROR;
	log = ring_produce(&rings->log, rings->log_bytes, RINGS_LOG_SIZE);
	return kernel ? kernel_log(&log) : input_log(&log);
}
