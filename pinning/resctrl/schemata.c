// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "pinning/resctrl/resctrl.h"

static bool is_mask(const char *name)
{
	return name[0] == 'L';
}

/* A number at *@at, which goes behind it. Neither signs nor spaces nor what doesn't fit. */
static int number_read(const char **at, unsigned int base, uint64_t max, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	const char *from = *at, *digit;
	uint64_t sum = 0;

	while (**at && (digit = strchr(digits, **at)) && digit < digits + base) {
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(digit - digits), &sum) || sum > max)
			return -EINVAL;
		++*at;
	}
	*number = sum;
	return *at == from ? -EINVAL : 0;
}

/* "0=fff", or "0=  100": bandwidth is padded. */
static int domain_parse(const char **at, struct schemata_line *line)
{
	struct schemata_domain domain;
	uint64_t id;

	if (number_read(at, 10, UINT32_MAX, &id) || *(*at)++ != '=')
		return -EINVAL;
	*at += strspn(*at, " ");
	if (number_read(at, is_mask(line->name) ? 16 : 10, UINT64_MAX, &domain.value))
		return -EINVAL;
	domain.id = (unsigned int)id;
	for (unsigned int i = 0; i < line->count; i++)
		if (line->domains[i].id == domain.id)
			return -EINVAL;
	if (line->count == SCHEMATA_DOMAINS_MAX)
		return -E2BIG;
	line->domains[line->count++] = domain;
	return 0;
}

static int line_parse(const char **at, struct schemata_line *line)
{
	size_t len;
	int err;

	*at += strspn(*at, " ");
	len = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (!len || len >= SCHEMATA_NAME_MAX || (*at)[len] != ':')
		return -EINVAL;
	memset(line, 0, sizeof(*line));
	memcpy(line->name, *at, len);
	*at += len;
	do {
		++*at;
		err = domain_parse(at, line);
	} while (!err && **at == ';');
	if (!err && *(*at)++ != '\n')
		err = -EINVAL;
	return err;
}

int schemata_parse(const char *text, struct schemata *schemata)
{
	schemata->count = 0;
	while (*text) {
		struct schemata_line *line = &schemata->lines[schemata->count];
		int err;

		if (schemata->count == SCHEMATA_LINES_MAX)
			return -E2BIG;
		err = line_parse(&text, line);
		if (err)
			return err;
		if (schemata_find(schemata, line->name))
			return -EINVAL;
		schemata->count++;
	}
	return schemata->count ? 0 : -EINVAL;
}

int schemata_format(const struct schemata_line *line, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s:", line->name);

	for (unsigned int i = 0; i < line->count && used < size; i++) {
		const struct schemata_domain *domain = &line->domains[i];

		used += (size_t)snprintf(text + used, size - used,
					 is_mask(line->name) ? "%s%u=%" PRIx64 : "%s%u=%" PRIu64, i ? ";" : "",
					 domain->id, domain->value);
	}
	if (used < size)
		used += (size_t)snprintf(text + used, size - used, "\n");
	return used < size ? (int)used : -ENOSPC;
}

const struct schemata_line *schemata_find(const struct schemata *schemata, const char *name)
{
	for (unsigned int i = 0; i < schemata->count; i++)
		if (strcmp(schemata->lines[i].name, name) == 0)
			return &schemata->lines[i];
	return NULL;
}

static bool is_half(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && is_mask(name) && (strcmp(name + len - 4, "CODE") == 0 || strcmp(name + len - 4, "DATA") == 0);
}

bool schemata_is_cdp(const struct schemata *schemata)
{
	for (unsigned int i = 0; i < schemata->count; i++)
		if (is_half(schemata->lines[i].name))
			return true;
	return false;
}

bool schemata_ways(const struct schemata *schemata, const char *name, unsigned int id, uint64_t *taken)
{
	size_t len = strlen(name);
	bool found = false;

	for (unsigned int i = 0; i < schemata->count; i++) {
		const struct schemata_line *line = &schemata->lines[i];

		if (strcmp(line->name, name) != 0 &&
		    !(is_half(line->name) && strlen(line->name) == len + 4 && strncmp(line->name, name, len) == 0))
			continue;
		for (unsigned int j = 0; j < line->count; j++) {
			if (line->domains[j].id != id)
				continue;
			*taken |= line->domains[j].value;
			found = true;
		}
	}
	return found;
}
