// SPDX-License-Identifier: GPL-2.0-only
#include "base/nearest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"

#define WORD_MAX 40 /* bytes; nothing longer is a slip of the finger in a word of ours */

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * How many slips lead from @a to @b: a byte inserted, left out or replaced, or two neighbours swapped (the optimal
 * string alignment distance). Row by row, of which three are needed. Case doesn't count.
 */
static unsigned int edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int *spare = before;

		before = last;
		last = row;
		row = spare;
		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = MIN(last[j], row[j - 1]) + 1;
			row[j] = MIN(row[j], last[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
	}
	return row[b_len];
}

void nearest_offer(struct nearest *near, const char *word, const char *as)
{
	size_t asked_len = strlen(near->asked), word_len = strlen(word);
	unsigned int distance;

	if (asked_len > WORD_MAX || word_len > WORD_MAX)
		return;
	/* A third of the word may be wrong: "memroy", but not "cat" for "cores". */
	distance = edit_distance(near->asked, asked_len, word, word_len);
	if (distance > (MAX(asked_len, word_len) + 1) / 3)
		return;
	if (near->word && near->distance <= distance)
		return;
	near->word = as;
	near->distance = distance;
}
