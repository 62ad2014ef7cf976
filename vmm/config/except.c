// SPDX-License-Identifier: GPL-2.0-only
/* seal.except: kinds of exits that are let through, each with its rate. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vmm/config/parse.h"

static const char *const names[] = {
	[EXCEPT_EOI] = "eoi",
	[EXCEPT_CPUID] = "cpuid",
	[EXCEPT_IPI] = "ipi",
};

_Static_assert(ARRAY_SIZE(names) == EXCEPT_COUNT, "each has a name");

const char *except_name(enum except_kind kind)
{
	return names[kind];
}

/* "1000/s": the digits and then that, nothing else. */
int rate_parse(const char *text, uint32_t *rate)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value;

	if (digits < 1 || digits > 9 || strcmp(text + digits, "/s") != 0 || sscanf(text, "%lu", &value) != 1)
		return -EINVAL;
	if (value < 1 || value > EXCEPT_RATE_MAX)
		return -EINVAL;
	*rate = (uint32_t)value;
	return 0;
}

static int set_except(struct vm_config *cfg, enum except_kind kind, const json_t *value, const struct place *at)
{
	const char *text = json_string_value(value);

	if (json_is_boolean(value))
		cfg->except[kind] = json_is_true(value) ? EXCEPT_ANY_RATE : 0;
	else if (!text || strlen(text) != json_string_length(value) || rate_parse(text, &cfg->except[kind]))
		return refuse(at, value);
	return 0;
}

int set_except_eoi(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_except(cfg, EXCEPT_EOI, value, at);
}

int set_except_cpuid(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_except(cfg, EXCEPT_CPUID, value, at);
}

int set_except_ipi(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_except(cfg, EXCEPT_IPI, value, at);
}
