// SPDX-License-Identifier: GPL-2.0-only
/* rings and heartbeat: what goes through memory that guest and host share. */
#include <string.h>

#include "vmm/config/parse.h"

#define EVERY	   1000 /* ms */
#define MISSED	   5
#define MISSED_MAX 1000

/* true or false; "on" and "off" are an option's form, good in a file too. */
int set_rings(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = json_string_value(value);

	if (json_is_boolean(value))
		cfg->rings = json_is_true(value);
	else if (text && (strcmp(text, "on") == 0 || strcmp(text, "off") == 0))
		cfg->rings = text[1] == 'n';
	else
		return refuse(at, value);
	cfg->rings_given = true;
	return 0;
}

int set_heartbeat(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	if (!json_is_object(value))
		return refuse(at, value);
	if (!cfg->beat_every)
		cfg->beat_every = EVERY;
	if (!cfg->beats_missed)
		cfg->beats_missed = MISSED;
	return object_set(cfg, value, at);
}

int set_heartbeat_every(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) != json_string_length(value) || duration_parse(text, &cfg->beat_every))
		return refuse(at, value);
	return 0;
}

int set_heartbeat_missing(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	json_int_t n = json_integer_value(value); /* 0 for all that is no whole number */

	if (n < 1 || n > MISSED_MAX)
		return refuse(at, value);
	cfg->beats_missed = (unsigned int)n;
	return 0;
}

int set_heartbeat_then(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return then_set(&cfg->beat_abort, value, at);
}
