/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_REPORT_REPORT_H
#define VMM_REPORT_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/*
 * A report as a page. The report is a file from anywhere: it is checked whole, and then trusted to have the shape of
 * schemas/report.schema.json and nothing more.
 */
#define REPORT_SIZE_MAX (16 << 20) /* bytes of a report: 512 samples of 255 vCPUs are some 5 MiB */

/* read.c: the report in @path, or NULL; all that is wrong is reported, with the key. json_decref it. */
json_t *told_read(const char *path);

/* The same from memory; @name stands for the file in messages. */
json_t *told_parse(const char *text, size_t len, const char *name);

/* shape.c: is it a report? -EINVAL, reported, with the first key that is wrong. */
int told_check(const json_t *report, const char *name);

/* page.c: one HTML file, complete in itself, from a checked report. */
void page_write(const json_t *report, FILE *out);

/* chart.c: exits a second over time, as SVG. */
void chart_write(const json_t *report, FILE *out);

/* markup.c: text as content or in an attribute's double quotes; numbers in groups of three; a time for people. */
void markup_text(const char *text, FILE *out);
void markup_number(json_int_t number, FILE *out);
void markup_duration(json_int_t ns, FILE *out);
void markup_date(const char *text, FILE *out);

/* Members of a checked report. */
const json_t *told_get(const json_t *object, const char *key);
json_int_t told_number(const json_t *object, const char *key); /* 0 for null */
const char *told_text(const json_t *object, const char *key);  /* "" for null or for what isn't there */

#endif
