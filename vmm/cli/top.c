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
#include "base/util.h"
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

static json_int_t member(const json_t *vcpu, const char *key)
{
	return json_integer_value(json_object_get(vcpu, key));
}

static void vm_write(const json_t *vm, char *line, size_t size)
{
	const json_t *vcpus = json_object_get(json_object_get(vm, "live"), "vcpus"), *vcpu;
	json_int_t before = 0, host = 0, exits = 0;
	size_t i;
	int len = snprintf(line, size, "%-24s %-9s", json_string_value(json_object_get(vm, "name")),
			   json_string_value(json_object_get(vm, "state")));

	json_array_foreach (vcpus, i, vcpu) {
		before += member(vcpu, "before_seal");
		host += member(vcpu, "host") - member(vcpu, "host_before_seal");
		exits += member(vcpu, "exits");
	}
	/* the counters are no snapshot of one moment */
	if (vcpus)
		snprintf(line + len, size - (size_t)len,
			 " %5zu %12" JSON_INTEGER_FORMAT " %12" JSON_INTEGER_FORMAT " %12" JSON_INTEGER_FORMAT,
			 json_array_size(vcpus), before, host, MAX(exits - before - host, 0));
}

/* As many lines and columns as there are; what found no room is counted. */
static void table_write(const json_t *vms, int columns, int rows, FILE *out)
{
	size_t count = json_array_size(vms), shown = MIN(count, (size_t)MAX(rows - 2, 0));
	char line[256];

	snprintf(line, sizeof(line), "%-24s %-9s %5s %12s %12s %12s", "NAME", "STATE", "VCPUS", "BEFORE SEAL",
		 "SINCE: HOST", "GUEST");
	fprintf(out, "%.*s\n", columns, line);
	for (size_t i = 0; i < shown; i++) {
		vm_write(json_array_get(vms, i), line, sizeof(line));
		fprintf(out, "%.*s\n", columns, line);
	}
	if (shown < count)
		fprintf(out, "%zu more", count - shown);
}

static bool table_show(const json_t *vms)
{
	char *text = NULL;
	int columns, rows;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool shown;

	if (!out)
		return false;
	screen_size(&columns, &rows);
	table_write(vms, columns, rows, out);
	fclose(out);
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	shown = text && screen_show(text);
	free(text);
	return shown;
}

/* Takes @vms. */
static int top_live(json_t *vms)
{
	struct screen *screen = screen_enter();
	bool done;

	while (screen && vms && table_show(vms)) {
		enum screen_event event = screen_wait(screen, RENEW_MS);

		if (event == SCREEN_QUIT)
			break;
		if (event == SCREEN_RESIZED)
			continue;
		json_decref(vms);
		vms = vms_ask();
	}
	if (screen)
		screen_leave(screen);
	if (vms)
		table_write(vms, INT_MAX, INT_MAX, stdout);
	done = screen && vms;
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
		table_write(vms, INT_MAX, INT_MAX, stdout);
	}
	json_decref(vms);
	return EXIT_CLEAN;
}
