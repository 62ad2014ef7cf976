// SPDX-License-Identifier: GPL-2.0-only
#include "pinning/host/cpus.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "base/file.h"

#define WORDS (CPUS_MAX / 64)

void cpus_add(struct cpus *set, unsigned int cpu)
{
	if (cpu < CPUS_MAX)
		set->words[cpu / 64] |= 1ULL << cpu % 64;
}

bool cpus_has(const struct cpus *set, unsigned int cpu)
{
	return cpu < CPUS_MAX && set->words[cpu / 64] >> cpu % 64 & 1;
}

bool cpus_empty(const struct cpus *set)
{
	return cpus_count(set) == 0;
}

bool cpus_equal(const struct cpus *a, const struct cpus *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool cpus_within(const struct cpus *inner, const struct cpus *outer)
{
	struct cpus both;

	cpus_and(&both, inner, outer);
	return cpus_equal(&both, inner);
}

bool cpus_meet(const struct cpus *a, const struct cpus *b)
{
	struct cpus both;

	cpus_and(&both, a, b);
	return !cpus_empty(&both);
}

unsigned int cpus_count(const struct cpus *set)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < WORDS; i++)
		count += (unsigned int)__builtin_popcountll(set->words[i]);
	return count;
}

void cpus_and(struct cpus *out, const struct cpus *a, const struct cpus *b)
{
	for (unsigned int i = 0; i < WORDS; i++)
		out->words[i] = a->words[i] & b->words[i];
}

void cpus_without(struct cpus *out, const struct cpus *a, const struct cpus *b)
{
	for (unsigned int i = 0; i < WORDS; i++)
		out->words[i] = a->words[i] & ~b->words[i];
}

void cpus_or(struct cpus *out, const struct cpus *a, const struct cpus *b)
{
	for (unsigned int i = 0; i < WORDS; i++)
		out->words[i] = a->words[i] | b->words[i];
}

static bool number_take(const char **text, unsigned long *number)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*number = strtoul(*text, &end, 10);
	*text = end;
	return *number < CPUS_MAX;
}

int cpus_from_list(struct cpus *set, const char *text)
{
	unsigned long first, last;

	*set = (struct cpus){ 0 };
	if (*text == '\0' || *text == '\n')
		return 0;
	for (;; text++) {
		if (!number_take(&text, &first))
			return -EINVAL;
		last = first;
		if (*text == '-' && (text++, !number_take(&text, &last)))
			return -EINVAL;
		if (last < first)
			return -EINVAL;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			cpus_add(set, (unsigned int)cpu);
		if (*text == '\0' || *text == '\n')
			return 0;
		if (*text != ',')
			return -EINVAL;
	}
}

static int digit_value(char digit)
{
	if (!isxdigit((unsigned char)digit))
		return -1;
	return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

/* Commas stand between words of 32 bits, so between whole digits: they can be passed over. */
int cpus_from_mask(struct cpus *set, const char *text)
{
	size_t len = strcspn(text, "\n");
	unsigned int cpu = 0;

	*set = (struct cpus){ 0 };
	if (!len)
		return -EINVAL;
	while (len--) {
		int value = digit_value(text[len]);

		if (text[len] == ',')
			continue;
		if (value < 0 || (value && cpu >= CPUS_MAX))
			return -EINVAL;
		for (unsigned int bit = 0; bit < 4; bit++)
			if (value >> bit & 1)
				cpus_add(set, cpu + bit);
		cpu += 4;
	}
	return 0;
}

char *cpus_to_list(const struct cpus *set)
{
	const char *comma = "";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (unsigned int first = 0; first < CPUS_MAX; first++) {
		unsigned int last = first;

		if (!cpus_has(set, first))
			continue;
		while (cpus_has(set, last + 1))
			last++;
		fprintf(out, last > first ? "%s%u-%u" : "%s%u", comma, first, last);
		comma = ",";
		first = last;
	}
	fclose(out);
	return text;
}

/* No leading zeros: kernels refuse masks that are longer than their own. */
char *cpus_to_mask(const struct cpus *set)
{
	char *text = NULL;
	bool begun = false;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (unsigned int i = CPUS_MAX / 32; i-- > 0;) {
		uint32_t word = (uint32_t)(set->words[i / 2] >> i % 2 * 32);

		if (begun)
			fprintf(out, ",%08x", word);
		else if (word || i == 0)
			fprintf(out, "%x", word);
		begun = begun || word;
	}
	fclose(out);
	return text;
}

int cpus_read(struct cpus *set, const char *path)
{
	char *text = file_get(path);
	int err = text ? cpus_from_list(set, text) : -errno;

	free(text);
	return err;
}
