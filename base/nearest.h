/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/*
 * "Did you mean": offer each known word in turn, then look at .word, which is NULL if none was near enough. Start
 * with { .asked = WORD }.
 */
struct nearest {
	const char *asked;
	const char *word; /* the nearest so far */
	unsigned int distance;
};

/* @word is compared; @as, what is to be suggested for it, is kept by address. */
void nearest_offer(struct nearest *near, const char *word, const char *as);

#endif
