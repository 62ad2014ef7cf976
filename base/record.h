/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Append-only files of one record a line: a checksum (FNV-1a, 16 hexadecimal digits: against accidents, not against
 * whoever may write there), a space, and a text without newlines. A line that was cut or altered is told apart.
 */
#define RECORD_MAX 65536 /* bytes of a line */

/*
 * Append @text as one record by one write(2), to @fd, open with O_APPEND, of which this is the only writer: what
 * doesn't get there whole is taken back. Negative errno; reports nothing.
 */
int record_append(int fd, const char *text);

/*
 * The next record of [*@at, @end): its text (0-terminated in place) and *@at after it. NULL: no whole line is left, and
 * *@at is where it begins. *@bad counts the lines that were skipped as they aren't what was written.
 */
char *record_next(char **at, char *end, unsigned int *bad);

/* Takes a record's text, which is its own for as long as the call lasts. False: not now, it is to come again. */
typedef bool record_fn(void *context, const char *text);

/*
 * Give @take the records of @fd from the offset *@at on, in a file of any length, until it doesn't take one; *@at is
 * then after the last that it took, and *@bad counts the lines that were left out. 0: nothing is left; 1: what is left
 * was not taken, or is no whole line; negative errno. Reports nothing.
 */
int records_read(int fd, off_t *at, unsigned int *bad, record_fn *take, void *context);

#endif
