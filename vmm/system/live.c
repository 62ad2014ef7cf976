// SPDX-License-Identifier: GPL-2.0-only
/* What a supervisor says of its VM now. It may be stopped, or slow: then the others' requests don't wait for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "vmm/supervisor/control.h"
#include "vmm/system/system.h"

/* A supervisor is slow on a slow host; but when one has just held us up, there may be more. */
#define PATIENCE_MS	  3000
#define SHORT_PATIENCE_MS 200
#define DEAF_NS		  INT64_C(10000000000) /* for how long one that did not answer is not asked again */

static bool is_asked(const struct managed *vm)
{
	return vm_is_alive(vm) && clock_now() >= vm->deaf_until &&
	       (strcmp(vm->state, "booting") == 0 || strcmp(vm->state, "sealed") == 0);
}

json_t *vm_live_json(struct manager *manager, struct managed *vm)
{
	unsigned int patience = clock_now() < manager->impatient_until ? SHORT_PATIENCE_MS : PATIENCE_MS;
	char *text = is_asked(vm) ? malloc(CONTROL_TEXT_MAX) : NULL;
	json_t *live = NULL;
	int err;

	if (!text)
		return NULL;
	err = control_try_for(vm->name, "exits", text, CONTROL_TEXT_MAX, patience);
	if (!err)
		live = json_loads(text, 0, NULL);
	if (err == -ETIMEDOUT)
		manager->impatient_until = vm->deaf_until = clock_now() + DEAF_NS;
	free(text);
	return live;
}
