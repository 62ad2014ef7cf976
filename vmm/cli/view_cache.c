// SPDX-License-Identifier: GPL-2.0-only
/* What a VM with a share of the caches uses of them, for people. */
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "vmm/cli/view.h"

#define WHY_MAX 160 /* bytes */

/* What isn't known is left out: it isn't 0. */
static void part_add(char *text, size_t size, const json_t *use, const char *key, const char *what)
{
	const json_t *bytes = json_object_get(use, key);
	size_t used = strlen(text);

	if (json_is_integer(bytes))
		snprintf(text + used, size - used, ", %" JSON_INTEGER_FORMAT " KiB %s", json_integer_value(bytes) >> 10,
			 what);
}

bool cache_line(const json_t *answer, size_t i, char *text, size_t size)
{
	const json_t *cache = json_object_get(answer, "cache");
	const json_t *use = json_array_get(json_object_get(cache, "l3"), i);
	const char *why = json_string_value(json_object_get(use, "unread"));
	char escaped[WHY_MAX];

	if (!json_is_object(use))
		return false;
	snprintf(text, size, "%sL3 cache %" JSON_INTEGER_FORMAT,
		 json_is_true(json_object_get(cache, "simulated")) ? "simulated: " : "",
		 json_integer_value(json_object_get(use, "cache")));
	part_add(text, size, use, "occupancy_bytes", "filled");
	part_add(text, size, use, "total_bytes", "moved to and from memory");
	part_add(text, size, use, "local_bytes", "of these its own node's");
	if (why)
		snprintf(text + strlen(text), size - strlen(text), ": not read: %s",
			 escape_text(escaped, sizeof(escaped), why, strlen(why)));
	return true;
}
