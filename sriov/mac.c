// SPDX-License-Identifier: GPL-2.0-only
/* What people write: MAC addresses, rates, addresses of functions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "sriov/internal.h"

#define MULTICAST 0x01 /* IEEE 802-2014, 8.2.2: of the first octet, as is the next */
#define LOCAL	  0x02

int mac_parse(const char *text, uint8_t mac[6])
{
	static const uint8_t zero[6];
	int end = 0;

	/* sscanf alone would take spaces and signs */
	if (strlen(text) != 17 || strspn(text, "0123456789abcdefABCDEF:") != 17)
		return -EINVAL;
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5],
		   &end) != 6 ||
	    end != 17)
		return -EINVAL;
	return mac[0] & MULTICAST || memcmp(mac, zero, sizeof(zero)) == 0 ? -EADDRNOTAVAIL : 0;
}

void mac_print(char text[18], const uint8_t mac[6])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static uint64_t hash_add(uint64_t hash, const char *text)
{
	/* FNV-1a, the 0 included, so that texts don't run into each other */
	do
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	while (*text++);
	return hash;
}

/* FNV-1a's upper bits depend little on the last bytes: this makes each depend on all (MurmurHash3's finalizer). */
static uint64_t hash_end(uint64_t hash)
{
	hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
	hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
	return hash ^ hash >> 33;
}

void mac_derive(const char *vm, unsigned int nth, const char *host, uint8_t mac[6])
{
	uint64_t hash = hash_add(hash_add(0xcbf29ce484222325, host), vm);

	hash = hash_end((hash ^ nth) * 0x100000001b3);
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = (uint8_t)(hash >> 8 * i);
	mac[0] = (uint8_t)((mac[0] & ~MULTICAST) | LOCAL);
}

int rate_mbit_parse(const char *text, uint32_t *mbit)
{
	size_t digits = strspn(text, "0123456789");
	unsigned int number;

	if (digits < 1 || digits > 7 || sscanf(text, "%u", &number) != 1)
		return -EINVAL;
	if (strcmp(text + digits, "Gbit") == 0)
		number = number > RATE_MAX / 1000 ? 0 : number * 1000;
	else if (strcmp(text + digits, "Mbit") != 0)
		return -EINVAL;
	if (number < 1 || number > RATE_MAX)
		return -EINVAL;
	*mbit = number;
	return 0;
}

int address_parse(const char *text, char out[FUNCTION_ADDRESS_MAX])
{
	unsigned int domain = 0, bus, slot, function;
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:.") != strlen(text))
		return -EINVAL;
	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) != 4 || text[end]) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) != 3 || text[end])
			return -EINVAL;
	}
	if (slot > 31 || function > 7)
		return -EINVAL;
	snprintf(out, FUNCTION_ADDRESS_MAX, "%04x:%02x:%02x.%x", domain & 0xffff, bus & 0xff, slot, function);
	return 0;
}
