// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/parse.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"

/* jansson stops right behind the key that is there twice: walk back from its last quote to its first. */
static void key_twice(char *out, size_t size, const struct source *src, const json_error_t *error)
{
	const char *end = src->text + error->position - 1, *p = end;

	do {
		p--;
	} while (p > src->text && (*p != '"' || p[-1] == '\\'));
	escape_text(out, size, p, (size_t)(end + 1 - p));
}

/* What jansson would call an invalid token or the end of the file. */
static int text_check(const char *text, size_t len, const char *name)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *nul = memchr(text, '\0', len);

	if (len == 0)
		return fail(-EINVAL, "%s: empty: wanted a configuration, {...}", name);
	if (len >= strlen(bom) && memcmp(text, bom, strlen(bom)) == 0)
		return fail(-EINVAL, "%s: begins with a byte order mark: wanted UTF-8 without one", name);
	if (nul)
		return fail(-EINVAL, "%s: a NUL byte at offset %td: wanted text, in UTF-8", name, nul - text);
	return 0;
}

static int syntax_error(const struct source *src, const json_error_t *error)
{
	char text[JSON_ERROR_TEXT_LENGTH + 64];

	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		key_twice(text, sizeof(text), src, error);
		return fail(-EINVAL, "%s:%d: key %s is there twice: wanted once", src->name, error->line, text);
	case json_error_stack_overflow:
		return fail(-EINVAL, "%s:%d:%d: nested too deeply", src->name, error->line, error->column);
	case json_error_numeric_overflow:
		return fail(-EINVAL, "%s:%d:%d: number too big", src->name, error->line, error->column);
	default:
		escape_text(text, sizeof(text), error->text, strlen(error->text));
		return fail(-EINVAL, "%s:%d:%d: not JSON: %s", src->name, error->line, error->column, text);
	}
}

int config_parse(struct vm_config *cfg, const char *text, size_t len, const char *name, const char *folder)
{
	/* NUL and any value at the top are let in here to be refused with the key's name and what was wanted. */
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
	struct source src = { .name = name, .text = text, .len = len, .folder = folder };
	struct place whole = { .src = &src };
	json_error_t error;
	json_t *root;
	int err = text_check(text, len, name);

	if (err)
		return err;
	root = json_loadb(text, len, flags, &error);
	if (!root)
		return syntax_error(&src, &error);
	if (json_is_object(root))
		err = object_set(cfg, root, &whole);
	else
		err = complain(&whole, root, "wanted an object, {...}");
	json_decref(root);
	return err;
}

int config_set(struct vm_config *cfg, const char *key, const char *text, const char *where)
{
	struct source src = { .name = where, .folder = "" };
	struct place place = { .src = &src, .known = key_find(key) };
	json_t *value = NULL;
	int err;

	if (place.known->number)
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	/* An option's argument is any bytes: a path needn't be UTF-8. */
	if (!json_is_number(value)) {
		json_decref(value);
		value = json_string_nocheck(text);
	}
	if (!value)
		return fail(-ENOMEM, "no memory for the configuration");
	err = place.known->set(cfg, value, &place);
	json_decref(value);
	return err;
}
