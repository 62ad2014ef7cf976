// SPDX-License-Identifier: GPL-2.0-only
/* stop, abort, seal: an order to nohyped if it has that VM running, or else a word to its supervisor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/api.h"
#include "vmm/cli/manager.h"
#include "vmm/supervisor/control.h"

#define LOOK_MS 200 /* between two looks */

json_t *answer_parse(const struct command *cmd, const char *text)
{
	json_t *answer = json_loads(text, 0, NULL);

	if (json_is_true(json_object_get(answer, "ok")))
		return answer;
	fail(-EPROTO, "%s: its supervisor doesn't know this request: is it of another version?", cmd->name);
	json_decref(answer);
	return NULL;
}

bool vm_name_check(const struct command *cmd, const char *name)
{
	if (!name)
		fail(-EINVAL, "%s: wanted the name of a VM: see nohype help %s", cmd->name, cmd->name);
	else if (strlen(name) > VM_NAME_MAX)
		fail(-EINVAL, "%s: no VM has a name of over %d bytes", cmd->name, VM_NAME_MAX);
	else
		return true;
	return false;
}

/* By nohyped, which knows of VMs that take no orders yet, too. */
static int manager_wait(const char *name, const struct wishes *wishes, json_t **vm)
{
	json_t *last;
	int code = vm_await(name, *vm, AWAIT_GONE, wishes->timeout, &last);

	json_decref(*vm);
	*vm = last;
	return code;
}

/* A supervisor of this user's own: its socket goes with it. */
static int supervisor_wait(const char *name, uint64_t timeout)
{
	static const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t until = clock_now() + (int64_t)timeout * 1000000;
	char text[CONTROL_TEXT_MAX];

	while (control_try(name, "exits", text, sizeof(text)) != -ESRCH) {
		if (timeout && clock_now() >= until) {
			fail(-ETIME, "%s: not gone after %.1f s: what was ordered goes on", name,
			     (double)timeout / 1e3);
			return EXIT_TIMEOUT;
		}
		nanosleep(&pause, NULL);
	}
	return EXIT_CLEAN;
}

static int supervisor_order(const struct command *cmd, const struct wishes *wishes, json_t **answer)
{
	char text[CONTROL_TEXT_MAX];

	if (control_ask(wishes->operand, cmd->name, text, sizeof(text)))
		return EXIT_ERROR;
	*answer = answer_parse(cmd, text);
	if (!*answer)
		return EXIT_ERROR;
	json_object_set_new(*answer, "name", json_string(wishes->operand));
	return wishes->wait ? supervisor_wait(wishes->operand, wishes->timeout) : EXIT_CLEAN;
}

/*
 * What nohyped says to the order, or NULL: it isn't there or has no such VM running. Where it is another user's, one
 * of this user's own comes first.
 */
static json_t *manager_order(const struct command *cmd, const char *name)
{
	char path[VM_PATH_MAX], text[CONTROL_TEXT_MAX];
	json_t *vm = NULL;

	if (!api_is_own() && control_try(name, "exits", text, sizeof(text)) != -ESRCH)
		return NULL;
	snprintf(path, sizeof(path), "/v1/vms/%s/%s", name, cmd->name);
	api_try("POST", path, &vm);
	return vm;
}

int control_main(const struct command *cmd, int argc, char **argv)
{
	char path[VM_PATH_MAX];
	struct wishes wishes;
	json_t *answer;
	int code;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	code = wishes_parse(&wishes, cmd, argc, argv) ? EXIT_USAGE : vm_path(cmd, wishes.operand, "", path);
	if (code)
		return code;
	answer = manager_order(cmd, wishes.operand);
	if (!answer)
		code = supervisor_order(cmd, &wishes, &answer);
	else if (wishes.wait)
		code = manager_wait(wishes.operand, &wishes, &answer);
	if (answer && wishes.json)
		json_print(answer);
	json_decref(answer);
	return code;
}
