// SPDX-License-Identifier: GPL-2.0-only
/* `nohype events`: what happened to nohyped's VMs, in order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/api.h"
#include "vmm/cli/cli.h"

struct events_wishes {
	bool follow, json;
	json_int_t since; /* the id before the first; -1: not given */
	json_int_t last;  /* the id that ends it; without .follow */
};

static bool id_parse(const char *text, json_int_t *id)
{
	size_t digits = strspn(text, "0123456789");

	*id = strtoll(text, NULL, 10);
	return digits > 0 && digits <= 18 && !text[digits];
}

static int events_parse(struct events_wishes *wishes, const struct command *cmd, int argc, char **argv)
{
	char quoted[64];

	*wishes = (struct events_wishes){ .since = -1 };
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--follow") == 0 || strcmp(argv[i], "-f") == 0)
			wishes->follow = true;
		else if (strcmp(argv[i], "--json") == 0)
			wishes->json = true;
		else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc && id_parse(argv[i + 1], &wishes->since))
			i++;
		else if (strcmp(argv[i], "--since") == 0)
			return fail(-EINVAL, "%s: --since: wanted an event's number", cmd->name);
		else
			return fail(-EINVAL, "%s: %s: unknown: see nohype help %s", cmd->name,
				    quote_text(quoted, sizeof(quoted), argv[i], strlen(argv[i])), cmd->name);
	}
	return 0;
}

static const char *text_of(const json_t *event, const char *key)
{
	const char *text = json_string_value(json_object_get(event, key));

	return text ? text : "";
}

static void event_print(const json_t *event)
{
	const json_t *code = json_object_get(event, "code");
	const char *text = text_of(event, "text");
	char escaped[256];

	printf("%8" JSON_INTEGER_FORMAT "  %-24s  %-9s  %-16s  %s", json_integer_value(json_object_get(event, "id")),
	       text_of(event, "time"), text_of(event, "type"), text_of(event, "vm"), text_of(event, "guarantee"));
	printf("%s%s", *text_of(event, "guarantee") ? " " : "", text_of(event, "state"));
	if (json_is_integer(code))
		printf(" (%" JSON_INTEGER_FORMAT ")", json_integer_value(code));
	if (*text)
		printf(": %s", escape_text(escaped, sizeof(escaped), text, strlen(text)));
	putchar('\n');
}

/* A line of the stream. False: the last that was wanted. */
static bool line_take(void *ctx, const char *line)
{
	const struct events_wishes *wishes = ctx;
	json_int_t id;
	json_t *event;

	if (strncmp(line, "data: ", 6) != 0)
		return true;
	event = json_loads(line + 6, 0, NULL);
	id = json_integer_value(json_object_get(event, "id"));
	if (wishes->json)
		puts(line + 6);
	else
		event_print(event);
	json_decref(event);
	/* who reads on in a pipe waits for it */
	return !fflush(stdout) && (wishes->follow || id < wishes->last);
}

int events_main(const struct command *cmd, int argc, char **argv)
{
	struct events_wishes wishes;
	char path[64];
	json_t *list;
	int status;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (events_parse(&wishes, cmd, argc, argv))
		return EXIT_USAGE;
	status = api_ask("GET", "/v1/vms", "", 0, &list);
	wishes.last = json_integer_value(json_object_get(list, "last_event"));
	json_decref(list);
	if (status != 200)
		return EXIT_ERROR;
	if (wishes.since < 0)
		wishes.since = wishes.follow ? wishes.last : 0;
	if (!wishes.follow && wishes.since >= wishes.last)
		return EXIT_CLEAN;
	snprintf(path, sizeof(path), "/v1/events?after=%" JSON_INTEGER_FORMAT, wishes.since);
	status = api_stream(path, line_take, &wishes);
	return status == 200 ? EXIT_CLEAN : EXIT_ERROR;
}
