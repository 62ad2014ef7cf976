// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "base/log.h"
#include "vmm/system/limit.h"

static int number_check(const char *key, json_int_t value)
{
	if (value >= LIMIT_MIN && value <= LIMIT_MAX)
		return 0;
	return fail(-EINVAL, "requests: %s: %lld: wanted %d to %d", key, (long long)value, LIMIT_MIN, LIMIT_MAX);
}

int limit_read(struct limit *limit, json_t *json)
{
	json_int_t rate = LIMIT_RATE, burst = LIMIT_BURST;
	json_error_t error;
	int err;

	if (json && json_unpack_ex(json, &error, JSON_STRICT, "{s?I, s?I}", "per_second", &rate, "burst", &burst))
		return fail(-EINVAL, "requests: %s", error.text);
	err = number_check("per_second", rate);
	err = err ? err : number_check("burst", burst);
	*limit = (struct limit){ .rate = rate, .burst = burst };
	return err;
}
