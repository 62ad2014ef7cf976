/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_TEXT_FILE_H
#define BASE_TEXT_FILE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * All of the regular file @path, of at most @max bytes (whole MiB), into *@text, which the caller frees. Its length, or
 * negative errno, reported: @what ("a report") says what was wanted, and @file how a file of it is called.
 */
ssize_t text_file_read(const char *path, size_t max, const char *what, const char *file, char **text);

#endif
