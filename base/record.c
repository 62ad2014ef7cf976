// SPDX-License-Identifier: GPL-2.0-only
#include "base/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGITS 16
#define CHUNK  ((size_t)2 * RECORD_MAX)

static uint64_t checksum(const char *text, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash;
}

/* A disk that is full takes a part, and what is written next would be on the same line: both would be lost. */
static int part_drop(int fd, ssize_t part)
{
	off_t end = lseek(fd, 0, SEEK_CUR);

	return end < part || ftruncate(fd, end - part) ? -EIO : -ENOSPC;
}

int record_append(int fd, const char *text)
{
	size_t len = strlen(text);
	char *line = NULL;
	ssize_t written;
	int size;

	if (len + DIGITS + 2 > RECORD_MAX || memchr(text, '\n', len))
		return -EINVAL;
	size = asprintf(&line, "%016" PRIx64 " %s\n", checksum(text, len), text);
	if (size < 0)
		return -ENOMEM;
	written = write(fd, line, (size_t)size);
	free(line);
	if (written == size)
		return 0;
	return written < 0 ? -errno : part_drop(fd, written);
}

/* The text of the line [@line, @end), or NULL. */
static char *line_check(char *line, const char *end)
{
	char sum[DIGITS + 1];
	char *text = line + DIGITS + 1;

	if (end - line < DIGITS + 1 || line[DIGITS] != ' ')
		return NULL;
	snprintf(sum, sizeof(sum), "%016" PRIx64, checksum(text, (size_t)(end - text)));
	return memcmp(sum, line, DIGITS) == 0 && !memchr(text, '\0', (size_t)(end - text)) ? text : NULL;
}

char *record_next(char **at, char *end, unsigned int *bad)
{
	char *newline, *text;

	while (*at < end && (newline = memchr(*at, '\n', (size_t)(end - *at)))) {
		text = line_check(*at, newline);
		*at = newline + 1;
		*newline = '\0';
		if (text)
			return text;
		++*bad;
	}
	return NULL;
}

/* Where what is left of @text begins. No line of ours has CHUNK: of one that was altered nothing stays in the way. */
static char *chunk_take(char *text, size_t len, unsigned int *bad, record_fn *take, void *context)
{
	char *at = text, *record;

	if (len == CHUNK && !memchr(text, '\n', len)) {
		++*bad;
		return text + len;
	}
	while ((record = record_next(&at, text + len, bad)))
		if (!take(context, record))
			return record - DIGITS - 1;
	return at;
}

int records_read(int fd, off_t *at, unsigned int *bad, record_fn *take, void *context)
{
	char *text = malloc(CHUNK), *next;
	ssize_t len;

	if (!text)
		return -ENOMEM;
	do {
		len = pread(fd, text, CHUNK, *at);
		next = len > 0 ? chunk_take(text, (size_t)len, bad, take, context) : text;
		*at += next - text;
	} while (next > text);
	len = len < 0 ? -errno : len > 0;
	free(text);
	return (int)len;
}
