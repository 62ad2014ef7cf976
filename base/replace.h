/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_REPLACE_H
#define BASE_REPLACE_H

#include <stdio.h>

/*
 * A file that appears as a whole or not at all: it is written without a name, or under another, in the same folder, and
 * gets its own when all of it is on the disk: whoever is killed meanwhile leaves nothing. One that is there is
 * replaced, if it is a regular file.
 */
#define REPLACE_NAME_MAX 64 /* bytes */

/*
 * A new file in @folder, open for reading and writing, mode 0600. Where the file system makes one without a name it has
 * none, and @name is ""; else one that no one else has. nameless_link: give it one, if it has none: no call gives a
 * file without a name one that is taken. Negative errno; reports nothing.
 */
int nameless_make(int folder, char name[REPLACE_NAME_MAX]);
int nameless_link(int folder, int fd, char name[REPLACE_NAME_MAX]);

struct replacement {
	int folder; /* open; -1: none */
	FILE *file;
	const char *name; /* the caller's, in the folder */
	char temporary[REPLACE_NAME_MAX];
};

/*
 * Open the folder of @path, and try to write there. Messages begin with @what. @path must live as long as
 * @replacement. Negative errno, reported.
 */
int replace_open(struct replacement *replacement, const char *path, const char *what);

/* A new file to write to, mode 0600, owned by @replacement; NULL with errno. */
FILE *replace_begin(struct replacement *replacement);

/* Give it its name, or, if anything was not written, remove it. Negative errno; reports nothing. */
int replace_commit(struct replacement *replacement);

/* Let go of the folder, and of a file that was begun. */
void replace_close(struct replacement *replacement);

#endif
