// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "base/util.h"
#include "vmm/report/report.h"

/* What HTML and SVG would act on, or may not hold at all: control characters. Anything else is UTF-8 by now. */
void markup_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			if ((unsigned char)*text < ' ' || *text == 0x7f)
				fputs("\xef\xbf\xbd", out); /* U+FFFD */
			else
				fputc(*text, out);
		}
	}
}

/* A narrow space that doesn't break, between groups of three digits. */
void markup_number(json_int_t number, FILE *out)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, number);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0 && digits[i - 1] != '-')
			fputs("\xe2\x80\xaf", out); /* U+202F */
		fputc(digits[i], out);
	}
}

void markup_date(const char *text, FILE *out)
{
	char date[20]; /* up to the seconds */

	snprintf(date, sizeof(date), "%s", text);
	if (strlen(date) == 19 && date[10] == 'T')
		date[10] = ' ';
	markup_text(date, out);
	fputs(" UTC", out);
}

/* "2.08 s", "3 min 5 s", "2 h 10 min" */
void markup_duration(json_int_t ns, FILE *out)
{
	json_int_t s = ns / 1000000000;

	if (s < 1)
		fprintf(out, "%.1f ms", (double)ns / 1e6);
	else if (s < 60)
		fprintf(out, "%.2f s", (double)ns / 1e9);
	else if (s < 3600)
		fprintf(out, "%" JSON_INTEGER_FORMAT " min %" JSON_INTEGER_FORMAT " s", s / 60, s % 60);
	else
		fprintf(out, "%" JSON_INTEGER_FORMAT " h %" JSON_INTEGER_FORMAT " min", s / 3600, s / 60 % 60);
}
