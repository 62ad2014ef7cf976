/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_HOST_FILE_H
#define PINNING_HOST_FILE_H

#include <stdbool.h>

/* Inside pinning/host: the kernel's small files. None of these reports anything. */

/* What @path holds, without the newline at its end, malloced. NULL with errno. */
char *file_get(const char *path);

/* Write @text as one write(2), which the kernel takes as a whole or refuses: 0 or negative errno. */
int file_put(const char *path, const char *text);

bool file_is(const char *path);

/* @format as printf's, malloced; NULL: no memory. */
char *text_make(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* @word stands in @text, between blanks. */
bool text_has_word(const char *text, const char *word);

/*
 * Call @each with the name of each member of the folder @path, those with a dot first left out, in the order of their
 * names ("2" before "10"), until it returns something else than 0: that. A folder that isn't there has none.
 */
int folder_each(const char *path, int (*each)(void *context, const char *name), void *context);

#endif
