/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_CAPTURE_H
#define BASE_CAPTURE_H

/*
 * Messages as text instead of on standard error: for `nohype check --json`, and for tests. Works on file descriptor
 * 2, so it needs no variable that the log would have to look at. One at a time, and not while threads write.
 */
struct capture {
	int saved; /* the real standard error */
	int file;  /* what is written meanwhile */
};

/* -errno, reported, if it can't; then standard error is as before. */
int capture_begin(struct capture *cap);

/* Put standard error back; returns what was written to it, malloced, or NULL (reported). */
char *capture_end(struct capture *cap);

#endif
