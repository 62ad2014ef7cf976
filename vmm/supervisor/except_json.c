// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions, for programs. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "vmm/supervisor/seal.h"

json_t *exceptions_count_json(const struct seal *seal, unsigned int vcpu)
{
	json_t *json = json_object();

	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++) {
		const struct exit_event *counter = &seal->vcpus[vcpu].excepted[kind];

		if (counter->ring)
			json_object_set_new(json, except_name(kind),
					    json_integer((json_int_t)exit_counter_read(counter)));
	}
	return json;
}

json_t *exceptions_json(const struct vm_config *cfg)
{
	json_t *json = json_object();

	for (unsigned int kind = 0; kind < EXCEPT_COUNT; kind++) {
		char rate[24];

		snprintf(rate, sizeof(rate), "%" PRIu32 "/s", cfg->except[kind]);
		if (cfg->except[kind])
			json_object_set_new(json, except_name(kind),
					    cfg->except[kind] == EXCEPT_ANY_RATE ? json_true() : json_string(rate));
	}
	return json;
}
