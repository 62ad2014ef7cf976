// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/parse.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Add one host CPU; on -EEXIST it stands at cores[*count]. */
static int cores_add(unsigned int *cores, unsigned int max, unsigned int *count, unsigned int core)
{
	if (*count >= max)
		return -ERANGE;
	cores[*count] = core;
	for (unsigned int i = 0; i < *count; i++) {
		if (cores[i] == core)
			return -EEXIST;
	}
	(*count)++;
	return 0;
}

/* A decimal number at *@text, which is moved behind it. */
static int number_take(const char **text, unsigned int *number)
{
	unsigned int n = 0;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	for (; isdigit((unsigned char)**text); (*text)++) {
		n = n * 10 + (unsigned int)(**text - '0');
		if (n >= VM_CORE_LIMIT)
			return -ERANGE;
	}
	*number = n;
	return 0;
}

/* "3" or "3-5" */
static int range_take(const char **text, unsigned int *first, unsigned int *last)
{
	int err = number_take(text, first);

	if (err)
		return err;
	*last = *first;
	if (**text != '-')
		return 0;
	(*text)++;
	err = number_take(text, last);
	if (!err && *last < *first)
		return -EINVAL;
	return err;
}

int cores_parse(const char *text, unsigned int *cores, unsigned int max, unsigned int *count)
{
	unsigned int first = 0, last = 0;
	int err;

	*count = 0;
	for (;; text++) {
		err = range_take(&text, &first, &last);
		for (unsigned int core = first; !err && core <= last; core++)
			err = cores_add(cores, max, count, core);
		if (err || *text == '\0')
			return err;
		if (*text != ',')
			return -EINVAL;
	}
}

static int complain_range(const struct place *at, const json_t *value)
{
	return complain(at, value, "wanted at most %d host CPUs, numbered 0 to %d", VM_CORES_MAX, VM_CORE_LIMIT - 1);
}

static int complain_twice(const struct place *at, const json_t *value, unsigned int core)
{
	return complain(at, value, "host CPU %u is there twice: wanted each once, for one vCPU", core);
}

static int cores_from_text(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	unsigned int cores[VM_CORES_MAX] = { 0 }, count;
	const char *text = json_string_value(value);
	int err;

	if (strlen(text) != json_string_length(value))
		return refuse(at, value);
	if (strcmp(text, "auto") == 0) {
		cfg->ncores = 0;
		return 0;
	}
	err = cores_parse(text, cores, VM_CORES_MAX, &count);
	if (err == -EEXIST)
		return complain_twice(at, value, cores[count]);
	if (err == -ERANGE)
		return complain_range(at, value);
	if (err)
		return refuse(at, value);
	memcpy(cfg->cores, cores, count * sizeof(cores[0]));
	cfg->ncores = count;
	return 0;
}

static int core_from_number(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	json_int_t n = json_integer_value(value);
	int err;

	if (!json_is_integer(value) || n < 0 || n >= VM_CORE_LIMIT)
		return complain(at, value, "wanted a host CPU's number, 0 to %d", VM_CORE_LIMIT - 1);
	err = cores_add(cfg->cores, VM_CORES_MAX, &cfg->ncores, (unsigned int)n);
	if (err == -EEXIST)
		return complain_twice(at, value, (unsigned int)n);
	return err;
}

static int cores_from_array(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	struct place element = { .src = at->src, .up = at, .known = at->known };
	int result = 0;

	if (json_array_size(value) == 0)
		return refuse(at, value);
	if (json_array_size(value) > VM_CORES_MAX)
		return complain_range(at, value);
	cfg->ncores = 0;
	for (; element.nth < json_array_size(value); element.nth++) {
		int err = core_from_number(cfg, json_array_get(value, element.nth), &element);

		result = err ? err : result;
	}
	return result;
}

int set_cores(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	if (json_is_string(value))
		return cores_from_text(cfg, value, at);
	if (json_is_array(value))
		return cores_from_array(cfg, value, at);
	return refuse(at, value);
}
