// SPDX-License-Identifier: GPL-2.0-only
/* Checks of one value in one file: the table says all of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vmm/doctor/internal.h"

/* Module parameters of type bool are Y and N, and were numbers in older kernels: kvm_amd.npt. */
static const char *as_number(const char *text)
{
	if (strcmp(text, "Y") == 0)
		return "1";
	return strcmp(text, "N") == 0 ? "0" : text;
}

static bool number_of(const char *text, long long *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 0);
	return end != text && !*end && !errno;
}

/* "10 or more", "1000 or less" */
static bool bound_wanted(const char *text, const char *wanted, const char *word)
{
	char bound[24];
	long long found, limit;

	if (strlen(wanted) >= sizeof(bound) + strlen(word))
		return false;
	memcpy(bound, wanted, strlen(wanted) - strlen(word));
	bound[strlen(wanted) - strlen(word)] = '\0';
	if (!number_of(text, &found) || !number_of(bound, &limit))
		return false;
	return strcmp(word, " or more") == 0 ? found >= limit : found <= limit;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

bool value_wanted(const char *text, const char *wanted)
{
	const char * or = wanted;

	if (ends_in(wanted, " or more") || ends_in(wanted, " or less"))
		return bound_wanted(text, wanted, wanted + strlen(wanted) - strlen(" or more"));
	for (const char *word = wanted; or ; word = or +strlen(" or ")) {
		char one[40];
		size_t len;

		or = strstr(word, " or ");
		len = or ? (size_t)(or -word) : strlen(word);
		if (len >= sizeof(one))
			return false;
		memcpy(one, word, len);
		one[len] = '\0';
		if (strcmp(as_number(text), as_number(one)) == 0)
			return true;
	}
	return false;
}

void value_chosen(char *text)
{
	char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	*close = '\0';
	memmove(text, open + 1, strlen(open + 1) + 1);
}

void look_value(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char paths[512], text[VALUE_MAX] = "", *rest = paths, *path;
	ssize_t len = -ENOENT;

	strncpy(paths, check->source, sizeof(paths) - 1);
	paths[sizeof(paths) - 1] = '\0';
	while (len == -ENOENT && (path = strtok_r(rest, ", ", &rest)))
		len = value_read(doctor, path, text, sizeof(text));
	value_chosen(text);
	if (len == -ENOENT && check->absent)
		found(finding, CHECK_OK, "%s", check->absent);
	else if (len < 0)
		found_unread(finding, check->source, (int)len);
	else if (len == 0)
		found(finding, CHECK_UNKNOWN, "%s: empty", check->source);
	else
		found(finding, value_wanted(text, check->wanted) ? CHECK_OK : CHECK_BAD, "%s", text);
}
