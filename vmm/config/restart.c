// SPDX-License-Identifier: GPL-2.0-only
/* restart: whether nohyped starts a VM again that has ended by itself. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "vmm/config/parse.h"

#define LIMIT_MAX 1000

int set_restart_policy(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	static const char *const names[] = {
		[RESTART_NEVER] = "never", [RESTART_ON_FAILURE] = "on-failure", [RESTART_ALWAYS] = "always"
	};
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			cfg->restart.policy = (enum restart_policy)i;
			return 0;
		}
	}
	return refuse(at, value);
}

int set_restart_delay(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	return duration_parse(text, &cfg->restart.delay) ? refuse(at, value) : 0;
}

int set_restart_limit(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	json_int_t n = json_integer_value(value); /* 0 for all that is no whole number */

	if (n < 1 || n > LIMIT_MAX)
		return refuse(at, value);
	cfg->restart.limit = (unsigned int)n;
	return 0;
}

int set_restart_after_violation(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	if (!json_is_boolean(value))
		return refuse(at, value);
	cfg->restart.after_violation = json_is_true(value);
	return 0;
}
