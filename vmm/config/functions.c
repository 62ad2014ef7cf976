// SPDX-License-Identifier: GPL-2.0-only
/* "functions": an array, each element an object with one key that says what kind it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/config/parse.h"

/* The one whose object is being read: the last. */
static struct function_request *function_of(struct vm_config *cfg)
{
	return &cfg->functions[cfg->nfunctions - 1];
}

static int function_add(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	struct function_request *function;
	int err;

	if (!json_is_object(value) || json_object_size(value) != 1)
		return complain(at, value,
				"wanted a function, as { \"network\": { \"pf\": \"enp1s0\" } }, { \"nvme\": { "
				"\"controller\": \"nvme0\" } } or { \"pci\": \"0000:03:10.1\" }");
	cfg->nfunctions++;
	function = function_of(cfg);
	*function = (struct function_request){ .mac_auto = true, .settings = { .spoof_check = true } };
	function->kind = json_object_get(value, "pci")	  ? FUNCTION_PCI
			 : json_object_get(value, "nvme") ? FUNCTION_NVME
							  : FUNCTION_NETWORK;
	err = object_set(cfg, value, at);
	if (!err && function->kind == FUNCTION_NETWORK && !*function->pf)
		err = complain(at, NULL, "network.pf: missing: wanted a network card's interface, as \"enp1s0\"");
	if (!err && function->kind == FUNCTION_NVME && !*function->controller)
		err = complain(at, NULL, "nvme.controller: missing: wanted an NVMe controller, as \"nvme0\"");
	return err;
}

int set_functions(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	struct place element = { .src = at->src, .up = at, .known = at->known };
	int result = 0;

	if (!json_is_array(value) || json_array_size(value) > FUNCTIONS_MAX)
		return refuse(at, value);
	cfg->nfunctions = 0;
	namespaces_free(cfg);
	for (; element.nth < json_array_size(value); element.nth++) {
		int err = function_add(cfg, json_array_get(value, element.nth), &element);

		result = err ? err : result;
	}
	return result;
}

int set_function_pci(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	return address_parse(text, function_of(cfg)->address) ? refuse(at, value) : 0;
}

/* A name or an address that becomes part of a path, into @to: what it isn't is found out by the plan. */
static int device_set(char to[FUNCTION_PF_MAX], const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	if (!*text || strlen(text) >= FUNCTION_PF_MAX || strchr(text, '/') || *text == '.')
		return refuse(at, value);
	snprintf(to, FUNCTION_PF_MAX, "%s", text);
	return 0;
}

int set_function_pf(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return device_set(function_of(cfg)->pf, value, at);
}

int set_function_controller(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return device_set(function_of(cfg)->controller, value, at);
}

int set_function_clear(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at), *name;

	if (!text)
		return -EINVAL;
	for (enum namespace_clear how = NAMESPACE_AUTO; (name = namespace_clear_name(how)); how++) {
		if (strcmp(text, name) == 0) {
			function_of(cfg)->clear = how;
			return 0;
		}
	}
	return refuse(at, value);
}

int set_function_mac(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	struct function_request *function = function_of(cfg);
	const char *text = string_get(value, at);
	int err;

	if (!text)
		return -EINVAL;
	function->mac_auto = strcmp(text, "auto") == 0;
	err = function->mac_auto ? 0 : mac_parse(text, function->settings.mac);
	if (err == -EADDRNOTAVAIL)
		return complain(at, value, "%s: wanted one of a single interface",
				function->settings.mac[0] & 1 ? "a multicast address" : "no address");
	return err ? refuse(at, value) : 0;
}

int set_function_vlan(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0 || n > VLAN_MAX)
		return refuse(at, value);
	function_of(cfg)->settings.vlan = (uint16_t)n;
	return 0;
}

int set_function_rate(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	return rate_mbit_parse(text, &function_of(cfg)->settings.rate) ? refuse(at, value) : 0;
}

int set_function_spoof_check(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	if (!json_is_boolean(value))
		return refuse(at, value);
	function_of(cfg)->settings.spoof_check = json_is_true(value);
	return 0;
}

int set_function_trust(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	if (!json_is_boolean(value))
		return refuse(at, value);
	function_of(cfg)->settings.trust = json_is_true(value);
	return 0;
}

int set_function_link(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	static const char *const names[] = { [VF_LINK_AUTO] = "auto", [VF_LINK_UP] = "up", [VF_LINK_DOWN] = "down" };
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			function_of(cfg)->settings.link = i;
			return 0;
		}
	}
	return refuse(at, value);
}

/* What two of them can't have together. */
int functions_agree(const struct vm_config *cfg, const char *where)
{
	int err = 0;

	for (unsigned int i = 0; i < cfg->nfunctions; i++) {
		for (unsigned int j = 0; j < i; j++) {
			const struct function_request *a = &cfg->functions[i], *b = &cfg->functions[j];

			if (a->kind == FUNCTION_PCI && b->kind == FUNCTION_PCI && strcmp(a->address, b->address) == 0)
				err = fail(-EINVAL, "%s: functions[%u].pci: %s is there twice", where, i, a->address);
			if (a->kind == FUNCTION_NVME && b->kind == FUNCTION_NVME &&
			    strcmp(a->controller, b->controller) == 0)
				err = fail(-EINVAL, "%s: functions[%u].nvme.controller: %s is there twice", where, i,
					   a->controller);
			if (!a->mac_auto && !b->mac_auto && memcmp(a->settings.mac, b->settings.mac, 6) == 0)
				err = fail(-EINVAL, "%s: functions[%u].network.mac: functions[%u] has it too", where, i,
					   j);
		}
	}
	return err;
}
