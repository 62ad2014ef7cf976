// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for what becomes of a VM of nohyped's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/cli/api.h"
#include "vmm/cli/manager.h"

#define LOOK_MS	    200			       /* between two looks */
#define FIRST_MS    20			       /* before the second look; then twice that, up to LOOK_MS */
#define REPLACED_NS (20 * INT64_C(1000000000)) /* that nohyped may be away for, as while it is replaced */

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

/* The VM as it is, also over an absence of nohyped's. NULL: why not is reported, and *@status as of api_ask. */
static json_t *vm_look(const char *path, int64_t until, int *status)
{
	static const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t given_up = clock_now() + REPLACED_NS;
	json_t *vm;

	if (until && until < given_up)
		given_up = until;
	do {
		*status = api_try("GET", path, &vm);
		if (vm || (*status >= 0 && *status != 429))
			break;
		nanosleep(&pause, NULL);
	} while (clock_now() < given_up);
	if (!vm)
		*status = api_ask("GET", path, "", 0, &vm);
	return vm;
}

static bool is_gone(const json_t *vm)
{
	return !json_is_true(json_object_get(vm, "running")) && !json_is_true(json_object_get(vm, "restarting"));
}

static bool is_sealed(const json_t *vm)
{
	return strcmp(text_of(vm, "state"), "sealed") == 0 ||
	       strcmp(text_of(json_object_get(vm, "live"), "state"), "audited") == 0;
}

/* Of a life that has ended: how. Both kinds of an end by order are what was wanted of one that was to go. */
static int end_code(const char *name, const json_t *vm, enum awaited wanted)
{
	const json_t *end = json_object_get(vm, "end");
	int code = json_is_object(end) ? (int)json_integer_value(json_object_get(end, "code")) : EXIT_ERROR;

	if (wanted == AWAIT_GONE && (code == EXIT_CLEAN || code == EXIT_ABORTED))
		return EXIT_CLEAN;
	note("%s: %s", name, text_of(end, "text"));
	return code;
}

static int timeout_report(const char *name, const json_t *vm, enum awaited wanted, uint64_t timeout)
{
	fail(-ETIME, "%s: not %s after %.1f s, but %s: what was ordered goes on", name,
	     wanted == AWAIT_GONE ? "gone" : "sealed", (double)timeout / 1e3, text_of(vm, "state"));
	return EXIT_TIMEOUT;
}

int vm_await(const char *name, const json_t *vm, enum awaited wanted, uint64_t timeout, json_t **last)
{
	struct timespec pause = { .tv_nsec = FIRST_MS * 1000000L };
	int64_t until = timeout ? clock_now() + (int64_t)timeout * 1000000 : 0;
	json_int_t run = json_integer_value(json_object_get(vm, "run"));
	bool ran = json_is_true(json_object_get(vm, "running"));
	char path[VM_PATH_MAX];
	int status;

	snprintf(path, sizeof(path), "/v1/vms/%s", name);
	for (*last = NULL;;) {
		json_decref(*last);
		*last = vm_look(path, until, &status);
		if (!*last)
			return exit_of(status);
		if (is_gone(*last) && wanted == AWAIT_GONE && !ran)
			return EXIT_CLEAN; /* it waited to be started again, and does so no more */
		if (is_gone(*last))
			return end_code(name, *last, wanted);
		if (wanted == AWAIT_SEALED && is_sealed(*last))
			return EXIT_CLEAN;
		/* someone has started it again */
		if (wanted == AWAIT_GONE && json_integer_value(json_object_get(*last, "run")) != run)
			return EXIT_CLEAN;
		if (until && clock_now() >= until)
			return timeout_report(name, *last, wanted, timeout);
		nanosleep(&pause, NULL);
		pause.tv_nsec = MIN(2 * pause.tv_nsec, LOOK_MS * 1000000L);
	}
}
