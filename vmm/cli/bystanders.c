// SPDX-License-Identifier: GPL-2.0-only
/* The VMs that run on this host, for what would disturb them. */
#include "vmm/cli/bystanders.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/supervisor/control.h"

#define SOCKETS "/proc/net/unix"

static bool is_silent(const char *name)
{
	char text[CONTROL_TEXT_MAX];
	const char *level, *state;
	json_t *answer;
	bool silent;

	if (control_try(name, "exits", text, sizeof(text)))
		return false; /* it is gone */
	answer = json_loads(text, 0, NULL);
	level = json_string_value(json_object_get(answer, "level"));
	state = json_string_value(json_object_get(answer, "state"));
	silent = level && state && strcmp(level, "silent") == 0 && strcmp(state, "sealed") == 0;
	json_decref(answer);
	return silent;
}

/* Its listening socket's line ends in "@nohype/UID/NAME"; those of clients have the same address, and flags 0. */
static int socket_check(char *line, const char *why)
{
	char *address = strstr(line, " @nohype/"), name[128];
	unsigned int uid, flags;

	if (!address || sscanf(line, "%*s %*s %*s %x", &flags) != 1 || !(flags & 0x10000 /* __SO_ACCEPTCON */))
		return 0;
	if (sscanf(address, " @nohype/%u/%127[^\n]", &uid, name) != 2)
		return 0;
	if (uid != geteuid()) {
		warn("VM \"%s\" of user %u may be sealed at level silent, which this would end: %s", name, uid, why);
		return 0;
	}
	if (!is_silent(name))
		return 0;
	return fail(-EBUSY, "\"%s\": it is sealed at level silent, which this would end: %s", name, why);
}

int bystanders_check(const char *why)
{
	FILE *file = fopen(SOCKETS, "re");
	char line[512];
	int err = 0;

	if (!file)
		return 0; /* no such VM either: its control socket would be there */
	while (!err && fgets(line, sizeof(line), file))
		err = socket_check(line, why);
	fclose(file);
	return err;
}
