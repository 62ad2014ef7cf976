// SPDX-License-Identifier: GPL-2.0-only
/* stop, abort, seal: a word to a running VM's supervisor. */
#include <errno.h>
#include <string.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/supervisor/control.h"

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

int control_main(const struct command *cmd, int argc, char **argv)
{
	char text[CONTROL_TEXT_MAX];
	json_t *answer;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (!vm_name_check(cmd, argc == 2 ? argv[1] : NULL))
		return EXIT_USAGE;
	if (control_ask(argv[1], cmd->name, text, sizeof(text)))
		return EXIT_ERROR;
	answer = answer_parse(cmd, text);
	json_decref(answer);
	return answer ? EXIT_CLEAN : EXIT_ERROR;
}
