// SPDX-License-Identifier: GPL-2.0-only
/*
 * jansson doesn't tell on which line a value stands, so we look it up in the text when there is something to say
 * about it. jansson has accepted the text, so all that's left is to count members and step over values.
 */
#include "vmm/config/parse.h"

#include <string.h>

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
	return p;
}

/* @p is at a string's first quote; returns what follows its last one. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p < end ? p + 1 : end;
}

/* From inside a member or element to the comma or bracket that ends it. */
static const char *skip_member(const char *p, const char *end)
{
	unsigned int depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			continue;
		}
		if (depth == 0 && strchr(",]}", *p))
			return p;
		if (*p == '{' || *p == '[')
			depth++;
		else if (*p == '}' || *p == ']')
			depth--;
		p++;
	}
	return end;
}

static const char *find_value(const struct place *at);

static const char *find_member(const struct place *at)
{
	const char *end = at->src->text + at->src->len, *p;

	if (!at->up)
		return skip_space(at->src->text, end);
	p = find_value(at->up) + 1;
	for (size_t i = 0; i < at->nth && p < end; i++)
		p = skip_member(p, end) + 1;
	return skip_space(p, end);
}

static const char *find_value(const struct place *at)
{
	const char *end = at->src->text + at->src->len, *p = find_member(at);

	if (!at->key)
		return p;
	p = skip_space(skip_string(p, end), end);
	return skip_space(p + 1, end);
}

unsigned int place_line(const struct place *at)
{
	const char *stop = find_member(at);
	unsigned int line = 1;

	for (const char *p = at->src->text; p < stop; p++)
		line += *p == '\n';
	return line;
}
