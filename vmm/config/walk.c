// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

#define KEY_PATH_MAX 128 /* bytes; longer than any key of ours, so that what is cut is unknown anyway */

static const char *leaf(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

/* Is @path a key right below @parent ("" for the whole file)? */
static bool is_below(const char *path, const char *parent)
{
	size_t len = strlen(parent);

	if (len == 0)
		return !strchr(path, '.');
	return strncmp(path, parent, len) == 0 && path[len] == '.' && !strchr(path + len + 1, '.');
}

/* Keys of the same object come first, and then those that stand elsewhere: "page_size" belongs into "memory". */
static const char *key_suggest(const char *asked, const char *parent)
{
	struct nearest near = { .asked = asked };
	const struct key *key;

	for (unsigned int i = 0; (key = key_at(i)); i++) {
		if (is_below(key->path, parent))
			nearest_offer(&near, leaf(key->path), key->path);
	}
	for (unsigned int i = 0; (key = key_at(i)); i++)
		nearest_offer(&near, leaf(key->path), key->path);
	return near.word;
}

static void keys_print(char *out, size_t size, const char *parent)
{
	const struct key *key;
	size_t used = 0;

	for (unsigned int i = 0; (key = key_at(i)) && used < size; i++) {
		if (is_below(key->path, parent))
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", leaf(key->path));
	}
}

static int unknown_key(const struct place *at, const char *parent)
{
	const char *suggestion = key_suggest(at->key, parent);
	char known[256] = "";

	if (suggestion)
		return complain(at, NULL, "unknown key: did you mean %s?", suggestion);
	keys_print(known, sizeof(known), parent);
	return complain(at, NULL, "unknown key: wanted one of %s", known);
}

static int member_set(struct vm_config *cfg, const json_t *value, struct place *at, const char *parent)
{
	char path[KEY_PATH_MAX];

	snprintf(path, sizeof(path), "%s%s%s", parent, *parent ? "." : "", at->key);
	/* A key with a dot in it is not a path: {"memory.size": ...} */
	at->known = strchr(at->key, '.') ? NULL : key_find(path);
	if (!at->known)
		return unknown_key(at, parent);
	if (at->known->set)
		return at->known->set(cfg, value, at);
	if (!json_is_object(value))
		return refuse(at, value);
	return object_set(cfg, value, at);
}

int object_set(struct vm_config *cfg, const json_t *object, const struct place *at)
{
	const char *parent = at->known ? at->known->path : "";
	struct place member = { .src = at->src, .up = at };
	json_t *value;
	int result = 0;

	json_object_foreach ((json_t *)object, member.key, value) {
		int err = member_set(cfg, value, &member, parent);

		result = err ? err : result;
		member.nth++;
	}
	return result;
}
