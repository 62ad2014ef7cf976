/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SYSTEM_ROUTE_H
#define VMM_SYSTEM_ROUTE_H

#include "vmm/config/config.h"

/* What a request is for. schemas/openapi.json lists the same; a test compares. */
enum route_id {
	ROUTE_VERSION,
	ROUTE_METRICS,
	ROUTE_EVENTS,
	ROUTE_TOPOLOGY,
	ROUTE_DOCTOR,
	ROUTE_LIST,
	ROUTE_SHOW,
	ROUTE_PUT,
	ROUTE_DELETE,
	ROUTE_START,
	ROUTE_STOP,
	ROUTE_ABORT,
	ROUTE_SEAL,
	ROUTE_CONFIG,
	ROUTE_LOG,
	ROUTE_CONSOLE,
	ROUTE_REPORT,
};

struct route {
	enum route_id id;
	char name[VM_NAME_MAX + 1]; /* of the VM, where the path has one */
	char allow[64];		    /* with 405: the methods that there are, for people and the header */
};

/* 0, or the status to answer: 404 (no such path, or no name that a VM can have), 405. @path as it came, decoded. */
unsigned int route_find(struct route *route, const char *method, const char *path);

#endif
