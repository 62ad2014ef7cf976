/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stddef.h>

/*
 * Text from outside, made fit for a terminal: all that isn't printable ASCII becomes \n, \t or \xHH, so that a file
 * can't move the cursor or fake a line of ours. What doesn't fit into @size bytes is cut and ends in "...". @size is
 * at least 8. Both return @out.
 */
char *escape_text(char *out, size_t size, const char *text, size_t len);

/* The same between double quotes; a quote or a backslash inside gets a backslash. */
char *quote_text(char *out, size_t size, const char *text, size_t len);

#endif
