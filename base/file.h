/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdarg.h>
#include <stdbool.h>

/* The kernel's small files, and records on the host's. None of these reports anything. */

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

#define BOOT_ID_SIZE 37

/* Which boot this is (Documentation/admin-guide/sysctl/kernel.rst, random), below @root: 0 or negative errno. */
int boot_id_read(char boot[BOOT_ID_SIZE], const char *root);

/* 0: this boot is @id. -ESTALE: it is another. Other negative errno: that can't be told, so nothing follows from it. */
int boot_id_check(const char *id);

/*
 * Append a line of less than LINE_BYTES to @fd, open with O_APPEND, as one write(2), on the disk when this returns:
 * 0 or negative errno; -ENOSPC: not all of it was taken.
 */
#define LINE_BYTES 1024
int line_append(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
int line_vappend(int fd, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

#endif
