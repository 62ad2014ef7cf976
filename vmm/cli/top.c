// SPDX-License-Identifier: GPL-2.0-only
/* `nohype top`: all of nohyped's VMs, with what KVM's counters say now. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/api.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/view.h"

#define RENEW_MS 1000

/* What show --json has of each VM, an array; NULL, reported. */
static json_t *vms_ask(void)
{
	json_t *list, *vms = json_array(), *vm;
	char path[256];
	size_t i;
	int status = api_ask("GET", "/v1/vms", "", 0, &list);

	json_array_foreach (json_object_get(list, "vms"), i, vm) {
		json_t *shown = NULL;

		snprintf(path, sizeof(path), "/v1/vms/%s", json_string_value(json_object_get(vm, "name")));
		if (json_is_true(json_object_get(vm, "running")) && api_ask("GET", path, "", 0, &shown) == 200) {
			json_array_append_new(vms, shown);
			continue;
		}
		json_object_set_new(vm, "live", json_null());
		json_array_append(vms, vm);
	}
	json_decref(list);
	if (status == 200)
		return vms;
	json_decref(vms);
	return NULL;
}

static bool table_show(const json_t *vms, const json_t *before)
{
	struct top_view view = { .now = vms, .before = before };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool shown;

	if (!out)
		return false;
	screen_size(&view.columns, &view.rows);
	top_draw(&view, out);
	fclose(out);
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	shown = text && screen_show(text);
	free(text);
	return shown;
}

/* All of it, for whatever takes lines of any length. */
static void table_print(const json_t *vms, const json_t *before)
{
	const struct top_view view = { .now = vms, .before = before, .columns = INT_MAX, .rows = INT_MAX };

	top_draw(&view, stdout);
}

/* Takes @vms. */
static int top_live(json_t *vms)
{
	struct screen *screen = screen_enter();
	json_t *before = NULL;
	bool done;

	while (screen && vms && table_show(vms, before)) {
		enum screen_event event = screen_wait(screen, RENEW_MS);

		if (event == SCREEN_QUIT)
			break;
		if (event == SCREEN_RESIZED)
			continue;
		json_decref(before);
		before = vms;
		vms = vms_ask();
	}
	if (screen)
		screen_leave(screen);
	if (vms)
		table_print(vms, before);
	done = screen && vms;
	json_decref(before);
	json_decref(vms);
	return done ? EXIT_CLEAN : EXIT_ERROR;
}

int top_main(const struct command *cmd, int argc, char **argv)
{
	const char *term = getenv("TERM");
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0, once = argc == 2 && strcmp(argv[1], "--once") == 0;
	json_t *vms;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (argc > 1 && !json && !once) {
		fail(-EINVAL, "%s: wanted --once, --json or nothing: see nohype help %s", cmd->name, cmd->name);
		return EXIT_USAGE;
	}
	vms = vms_ask();
	if (!vms)
		return EXIT_ERROR;
	if (!json && !once && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0)
		return top_live(vms);
	if (json) {
		json_dumpf(vms, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		table_print(vms, NULL);
	}
	json_decref(vms);
	return EXIT_CLEAN;
}
