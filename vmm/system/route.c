// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/system/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vmm/config/parse.h"

#define VMS "/v1/vms/"

static const struct {
	const char *method;
	const char *path; /* what ends in "/" or has "//" in it: a VM's name stands there */
	enum route_id id;
} routes[] = {
	{ "GET", "/v1/version", ROUTE_VERSION },
	{ "GET", "/metrics", ROUTE_METRICS },
	{ "GET", "/v1/events", ROUTE_EVENTS },
	{ "GET", "/v1/host/topology", ROUTE_TOPOLOGY },
	{ "GET", "/v1/host/doctor", ROUTE_DOCTOR },
	{ "GET", "/v1/vms", ROUTE_LIST },
	{ "GET", VMS, ROUTE_SHOW },
	{ "PUT", VMS, ROUTE_PUT },
	{ "DELETE", VMS, ROUTE_DELETE },
	{ "POST", VMS "/start", ROUTE_START },
	{ "POST", VMS "/stop", ROUTE_STOP },
	{ "POST", VMS "/abort", ROUTE_ABORT },
	{ "POST", VMS "/seal", ROUTE_SEAL },
	{ "GET", VMS "/config", ROUTE_CONFIG },
	{ "GET", VMS "/log", ROUTE_LOG },
	{ "GET", VMS "/console", ROUTE_CONSOLE },
	{ "GET", VMS "/report", ROUTE_REPORT },
};

/* "/v1/vms/web/start" becomes "/v1/vms//start" and "web". False: no VM can have that name. */
static bool path_split(const char *path, char plain[64], char name[VM_NAME_MAX + 1])
{
	const char *rest;
	size_t len;

	*name = '\0';
	if (strncmp(path, VMS, strlen(VMS)) != 0)
		return snprintf(plain, 64, "%s", path) < 64;
	path += strlen(VMS);
	rest = strchrnul(path, '/');
	len = (size_t)(rest - path);
	if (len > VM_NAME_MAX)
		return false;
	memcpy(name, path, len);
	name[len] = '\0';
	return name_is_valid(name) && snprintf(plain, 64, VMS "%s", rest) < 64;
}

unsigned int route_find(struct route *route, const char *method, const char *path)
{
	char plain[64];
	size_t len = 0;

	*route = (struct route){ 0 };
	if (!path_split(path, plain, route->name))
		return 404;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (strcmp(routes[i].path, plain) != 0)
			continue;
		if (strcmp(routes[i].method, method) == 0) {
			route->id = routes[i].id;
			route->allow[0] = '\0';
			return 0;
		}
		len += (size_t)snprintf(route->allow + len, sizeof(route->allow) - len, "%s%s", len ? ", " : "",
					routes[i].method);
	}
	return len ? 405 : 404;
}
