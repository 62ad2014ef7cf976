// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"

#define FOUND_MAX  64 /* bytes shown of a value */
#define KEY_MAX	   48 /* bytes shown of a key */
#define PLACE_MAX  256
#define WHERE_MAX  (PLACE_MAX + 256)
#define WANTED_MAX 512

/* A key as people write it, or quoted where that could be misread: "a.b", "", "two words". */
static void key_print(char *out, const char *key)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$";

	if (*key && strlen(key) < KEY_MAX && key[strspn(key, plain)] == '\0')
		strcpy(out, key);
	else
		quote_text(out, KEY_MAX, key, strlen(key));
}

static void path_print(char *out, size_t size, const struct place *at)
{
	char key[KEY_MAX];
	size_t used;

	*out = '\0';
	if (!at->up)
		return;
	path_print(out, size, at->up);
	used = strlen(out);
	if (at->key) {
		key_print(key, at->key);
		snprintf(out + used, size - used, "%s%s", used ? "." : "", key);
	} else {
		snprintf(out + used, size - used, "[%zu]", at->nth);
	}
}

/* "option -m: ", "vm.json:1: " or "vm.json:14: memory.size: " */
static void where_print(char out[WHERE_MAX], const struct place *at)
{
	char path[PLACE_MAX];

	if (!at->src->text) {
		snprintf(out, WHERE_MAX, "%s: ", at->src->name);
		return;
	}
	path_print(path, sizeof(path), at);
	snprintf(out, WHERE_MAX, "%s:%u: %s%s", at->src->name, place_line(at), path, *path ? ": " : "");
}

static void found_print(char out[FOUND_MAX], const json_t *found)
{
	size_t len;

	if (json_is_string(found)) {
		quote_text(out, FOUND_MAX, json_string_value(found), json_string_length(found));
	} else if (json_is_object(found)) {
		strcpy(out, json_object_size(found) ? "{...}" : "{}");
	} else if (json_is_array(found)) {
		strcpy(out, json_array_size(found) ? "[...]" : "[]");
	} else {
		len = json_dumpb(found, out, FOUND_MAX - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		out[len < FOUND_MAX ? len : 0] = '\0';
	}
}

int complain(const struct place *at, const json_t *found, const char *fmt, ...)
{
	char where[WHERE_MAX], value[FOUND_MAX], wanted[WANTED_MAX];
	va_list ap;

	if (++at->src->errors > CONFIG_ERRORS_MAX)
		return -EINVAL;
	if (at->src->errors == CONFIG_ERRORS_MAX)
		return fail(-EINVAL, "%s: more errors: not shown", at->src->name);
	where_print(where, at);
	va_start(ap, fmt);
	vsnprintf(wanted, sizeof(wanted), fmt, ap);
	va_end(ap);
	if (!found)
		return fail(-EINVAL, "%s%s", where, wanted);
	found_print(value, found);
	return fail(-EINVAL, "%s%s: %s", where, value, wanted);
}

int refuse(const struct place *at, const json_t *found)
{
	return complain(at, found, "wanted %s", at->known->wanted);
}
