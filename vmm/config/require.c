// SPDX-License-Identifier: GPL-2.0-only
/* require: guarantees without which the VM is not to run. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "vmm/config/parse.h"

static const char *const names[] = {
	[GUARANTEE_CORES] = "cores.isolated",	 [GUARANTEE_MEMORY] = "memory.fixed",
	[GUARANTEE_PAGES] = "memory.mapped",	 [GUARANTEE_DEVICES] = "devices.gone",
	[GUARANTEE_EXITS] = "exits.fatal",	 [GUARANTEE_CALLS] = "calls.filtered",
	[GUARANTEE_FUNCTIONS] = "functions.own", [GUARANTEE_CACHE] = "cache.own",
};

_Static_assert(ARRAY_SIZE(names) == GUARANTEE_COUNT, "each has a name");
_Static_assert(GUARANTEE_COUNT < 32, "a set of them is a word");

const char *guarantee_name(enum guarantee_id id)
{
	return names[id];
}

/* One name of @len bytes into the set. */
static int guarantee_add(uint32_t *set, const char *name, size_t len)
{
	if (len == 3 && strncmp(name, "all", len) == 0) {
		*set = REQUIRE_ALL;
		return 0;
	}
	for (unsigned int id = 0; id < GUARANTEE_COUNT; id++) {
		if (strlen(names[id]) != len || strncmp(names[id], name, len) != 0)
			continue;
		*set |= 1U << id;
		return 0;
	}
	return -EINVAL;
}

/* "cores.isolated,memory.fixed", or "all": an option's form, good in a file too. */
static int require_from_text(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = json_string_value(value);
	uint32_t set = 0;

	if (strlen(text) != json_string_length(value))
		return refuse(at, value);
	for (;; text++) {
		size_t len = strcspn(text, ",");

		if (guarantee_add(&set, text, len))
			return refuse(at, value);
		text += len;
		if (*text == '\0')
			break;
	}
	cfg->require = set;
	return 0;
}

int set_require(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	struct place element = { .src = at->src, .up = at, .known = at->known };
	uint32_t set = 0;
	int result = 0;

	if (json_is_string(value))
		return require_from_text(cfg, value, at);
	if (!json_is_array(value))
		return refuse(at, value);
	for (; element.nth < json_array_size(value); element.nth++) {
		const json_t *one = json_array_get(value, element.nth);
		const char *name = json_string_value(one);

		if (!name || guarantee_add(&set, name, json_string_length(one)))
			result = refuse(&element, one);
	}
	cfg->require = set;
	return result;
}
