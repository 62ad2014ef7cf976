// SPDX-License-Identifier: GPL-2.0-only
/* `nohype exits`: a VM's exits, once or as a view that is renewed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/view.h"
#include "vmm/supervisor/control.h"

#define RENEW_MS 1000

static int64_t now_ms(void)
{
	return clock_now() / 1000000;
}

static bool show(const json_t *now, const json_t *before)
{
	const char *no_colour = getenv("NO_COLOR");
	struct view view = { .now = now, .before = before, .colour = !no_colour || !*no_colour };
	char *text = NULL;
	size_t size = 0;
	bool shown;
	FILE *out;

	screen_size(&view.columns, &view.rows);
	out = open_memstream(&text, &size);
	if (!out)
		return false;
	view_draw(&view, out);
	fclose(out);
	shown = text && screen_show(text);
	free(text);
	return shown;
}

/* The next answer in place of @now, which becomes @before. False: there is none any more. */
static bool renew(const char *name, json_t **now, json_t **before)
{
	char text[CONTROL_TEXT_MAX];
	json_t *next;

	if (control_try(name, "exits", text, sizeof(text)))
		return false;
	next = json_loads(text, 0, NULL);
	if (!json_is_true(json_object_get(next, "ok"))) {
		json_decref(next);
		return false;
	}
	json_decref(*before);
	*before = *now;
	*now = next;
	return true;
}

/* Until it is told to end (true) or there is nothing more to show. */
static bool view_run(const char *name, struct screen *screen, json_t **now, json_t **before)
{
	int64_t next = now_ms() + RENEW_MS;

	while (show(*now, *before)) {
		int64_t left = next - now_ms();
		enum screen_event event = screen_wait(screen, (int)(left > 0 ? left : 0));

		if (event == SCREEN_QUIT)
			return true;
		if (event == SCREEN_RESIZED && now_ms() < next)
			continue;
		if (!renew(name, now, before))
			return false;
		next = now_ms() + RENEW_MS;
	}
	return true;
}

/* Takes @now. What was seen last stays on the terminal. */
static int exits_live(const char *name, json_t *now)
{
	struct screen *screen = screen_enter();
	json_t *before = NULL;
	bool told;

	if (!screen) {
		json_decref(now);
		return EXIT_ERROR;
	}
	told = view_run(name, screen, &now, &before);
	screen_leave(screen);
	exits_print(now, stdout);
	if (!told)
		printf("%s: it has ended; this was seen last\n", name);
	json_decref(now);
	json_decref(before);
	return EXIT_CLEAN;
}

static bool can_live(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static int exits_show(const struct command *cmd, const char *name, bool once, bool as_json)
{
	char text[CONTROL_TEXT_MAX];
	json_t *answer;

	if (control_ask(name, cmd->name, text, sizeof(text)))
		return EXIT_ERROR;
	answer = answer_parse(cmd, text);
	if (!answer)
		return EXIT_ERROR;
	if (!once && !as_json && can_live())
		return exits_live(name, answer);
	if (as_json)
		puts(text);
	else
		exits_print(answer, stdout);
	json_decref(answer);
	return EXIT_CLEAN;
}

static int option_unknown(const struct command *cmd, const char *option)
{
	char quoted[64];

	quote_text(quoted, sizeof(quoted), option, strlen(option));
	fail(-EINVAL, "%s: option %s: unknown: see nohype help %s", cmd->name, quoted, cmd->name);
	return EXIT_USAGE;
}

int exits_main(const struct command *cmd, int argc, char **argv)
{
	bool once = false, as_json = false;
	int i = 1;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--once") == 0)
			once = true;
		else if (strcmp(argv[i], "--json") == 0)
			as_json = true;
		else
			return option_unknown(cmd, argv[i]);
	}
	if (!vm_name_check(cmd, i + 1 == argc ? argv[i] : NULL))
		return EXIT_USAGE;
	return exits_show(cmd, argv[i], once, as_json);
}
