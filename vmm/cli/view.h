/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_VIEW_H
#define VMM_CLI_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What `nohype exits` and `nohype top` show. */

/* view.c: the answer as a table. */
void exits_print(const json_t *answer, FILE *out);

/* view_cache.c: a line about the @i-th of its L3 caches, if it has a share of them. False: there is no such. */
bool cache_line(const json_t *answer, size_t i, char *text, size_t size);

/* One screen: at most @rows lines of at most @columns characters, without a newline after the last. */
struct view {
	const json_t *now;
	const json_t *before; /* the answer before it, or NULL */
	int columns, rows;
	bool colour;
};
void view_draw(const struct view *view, FILE *out);

/* top_view.c: all VMs, a line each; what finds no room is counted. The fields as of struct view. */
struct top_view {
	const json_t *now;    /* an array of what show --json has */
	const json_t *before; /* the one before it, or NULL */
	int columns, rows;
};
void top_draw(const struct top_view *view, FILE *out);

/*
 * screen.c: the terminal while a view is on it. screen_leave puts all back, screen_enter may follow it again. Keys
 * are read as they come, unless standard input is no terminal of ours.
 */
struct screen;
struct screen *screen_enter(void);
void screen_leave(struct screen *screen);
void screen_size(int *columns, int *rows);

/* Put @text, a whole view, in place of the last one. False: the terminal is gone. */
bool screen_show(const char *text);

enum screen_event { SCREEN_TIMEOUT, SCREEN_RESIZED, SCREEN_QUIT };

/* Wait for at most @ms. The signals that end or stop a program are acted upon in here, with the screen put back. */
enum screen_event screen_wait(struct screen *screen, int ms);

#endif
