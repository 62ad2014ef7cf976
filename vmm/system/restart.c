// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs that are started again when they have ended. What was decided is an event before it is done, so that the next
 * nohyped, which reads them, does it as well.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/system/system.h"

#define DELAY_MAX (5 * 60 * INT64_C(1000))	  /* ms: it is doubled up to that */
#define NO_ROOM	  (10 * INT64_C(1000000000))	  /* ns until one whose start couldn't be written is tried again */
#define LASTED	  (10 * 60 * INT64_C(1000000000)) /* ns of a life that make it the first again */

/* An end that nobody has ordered, as the policy takes it. */
static bool is_wanted(const struct restart *restart, enum exit_code code)
{
	if (restart->policy == RESTART_NEVER || code == EXIT_USAGE)
		return false;
	if (code == EXIT_VIOLATION)
		return restart->after_violation;
	return restart->policy == RESTART_ALWAYS || code != EXIT_CLEAN;
}

static int64_t restart_delay(const struct restart *restart, unsigned int restarts)
{
	int64_t delay = (int64_t)restart->delay;

	for (; restarts > 0 && delay < DELAY_MAX; restarts--)
		delay *= 2;
	return MAX(MIN(delay, DELAY_MAX), (int64_t)restart->delay);
}

bool restart_decide(const struct restart *restart, int code, bool ordered, unsigned int restarts, int64_t *delay)
{
	*delay = restart_delay(restart, restarts);
	return !ordered && is_wanted(restart, (enum exit_code)code) && restarts < restart->limit;
}

/* As it is stored now. False: there is none any more that is right. */
static bool policy_read(const struct manager *manager, const struct managed *vm, struct restart *restart)
{
	char *path = store_path(manager, vm->name);
	struct vm_config cfg;
	int err;

	config_init(&cfg);
	err = path ? config_read(&cfg, path) : -1;
	*restart = cfg.restart;
	config_free(&cfg);
	free(path);
	return !err;
}

void restart_give_up(struct manager *manager, const struct managed *vm)
{
	event_add(manager, "restart", vm, json_pack("{s:s, s:i}", "state", "given up", "restarts", (int)vm->restarts));
}

void vm_restart_plan(struct manager *manager, struct managed *vm)
{
	int code = (int)json_integer_value(json_object_get(vm->end, "code"));
	struct restart restart;
	int64_t delay;

	if (json_integer_value(json_object_get(vm->end, "ns")) > LASTED)
		vm->restarts = 0;
	vm->ordered = vm->ordered || json_is_true(json_object_get(vm->end, "ordered"));
	if (!policy_read(manager, vm, &restart))
		return;
	if (restart_decide(&restart, code, vm->ordered, vm->restarts, &delay)) {
		vm->restarts++;
		vm->restart_at = clock_now() + delay * INT64_C(1000000);
		event_add(manager, "restart", vm,
			  json_pack("{s:s, s:i, s:I}", "state", "waiting", "restarts", (int)vm->restarts, "delay_ms",
				    (json_int_t)delay));
	} else if (vm->restarts == restart.limit && restart_decide(&restart, code, vm->ordered, 0, &delay)) {
		restart_give_up(manager, vm);
	}
}

/*
 * By the events of an older nohyped. What waited for its time does it anew; an end that nothing follows was not decided
 * on, as that nohyped ended in between.
 */
void vm_restart_recall(struct managed *vm, const char *type, const json_t *event)
{
	const char *state = json_string_value(json_object_get(event, "state"));

	vm->ended_now = strcmp(type, "state") == 0 && state && strcmp(state, "gone") == 0;
	if (strcmp(type, "start") == 0) {
		vm->ordered = false;
		vm->restart_at = 0;
		if (!json_object_get(event, "restarts"))
			vm->restarts = 0;
	} else if (strcmp(type, "stop") == 0 || strcmp(type, "abort") == 0) {
		vm->ordered = true;
		vm->restart_at = 0;
	} else if (strcmp(type, "restart") == 0) {
		vm->restarts = (unsigned int)json_integer_value(json_object_get(event, "restarts"));
		if (json_object_get(event, "delay_ms"))
			vm->restart_at =
				clock_now() + json_integer_value(json_object_get(event, "delay_ms")) * INT64_C(1000000);
	}
}

static void vm_restart(struct manager *manager, struct managed *vm)
{
	int err;

	if (vm_begin(manager, vm, json_pack("{s:i}", "restarts", (int)vm->restarts))) {
		vm->restart_at = clock_now() + NO_ROOM;
		return;
	}
	err = vm_launch(manager, vm);
	if (err)
		warn("%s: it is not started again: %s", vm->name, strerror(-err));
}

int64_t vms_restart(struct manager *manager)
{
	int64_t now = clock_now(), least = INT64_MAX;

	for (unsigned int i = 0; i < manager->count; i++) {
		struct managed *vm = manager->vms[i];

		if (vm->restart_at && !vm_is_alive(vm) && vm->restart_at <= now)
			vm_restart(manager, vm);
		else if (vm->restart_at)
			least = MIN(least, vm->restart_at - now);
	}
	return least;
}
