// SPDX-License-Identifier: GPL-2.0-only
/* watch: how often a running VM's guarantees are read again, and what follows from one that is lost. */
#include <errno.h>
#include <string.h>

#include "vmm/config/parse.h"

#define EVERY_MIN 1000 /* ms: each look reads all of the core manager's mappings */

int set_watch_every(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);
	uint64_t every;

	if (!text)
		return -EINVAL;
	if (duration_parse(text, &every) || every < EVERY_MIN)
		return refuse(at, value);
	cfg->watch_every = every;
	return 0;
}

int then_set(bool *aborts, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	if (strcmp(text, "abort") != 0 && strcmp(text, "report") != 0)
		return refuse(at, value);
	*aborts = *text == 'a';
	return 0;
}

int set_watch_then(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return then_set(&cfg->watch_abort, value, at);
}
