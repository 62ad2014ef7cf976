// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host does while a guest runs sealed: a core that goes offline, a tool that moves threads or takes a
 * partition back, memory that fails, a function's settings, a suspend, a clock that is set. Seen by reading the
 * guarantees again, which disturbs no vCPU; what the kernel tells by itself (a function that is wanted back) is
 * elsewhere.
 */
#include "vmm/supervisor/host_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define CLOCK_SET INT64_C(1000000000) /* ns: less is what two looks at two clocks can differ by on a busy host */
#define SUSPENDED INT64_C(100000000)  /* ns: no suspend is as short */
#define MOMENT	  INT64_C(100000)     /* ns: clocks that were read within it were read at once */
#define MOMENTS	  10		      /* tries to do so */

#define TELL_AGAIN   (600 * INT64_C(1000000000)) /* ns, of what was told CHANGES_KEPT times */
#define UNREAD_LOOKS 3U				 /* in a row: what can't be read is lost then */

static bool is_lost(const struct vm *vm, unsigned int id)
{
	return vm->watched.lost & 1U << id;
}

static void change_keep(struct vm *vm, const char *what, const char *state, const char *evidence)
{
	struct host_watch *watched = &vm->watched;
	json_t *json = json_pack("{s:I, s:s, s:s, s:s}", "ns", (json_int_t)(clock_now() - vm->started), "what", what,
				 "state", state, "evidence", evidence);

	watched->count++;
	if (!watched->kept)
		watched->kept = json_array();
	if (watched->count <= CHANGES_KEPT)
		json_array_append(watched->kept, json);
	else if (watched->count == CHANGES_KEPT + 1)
		warn("%s: more changes than the report tells", vm->cfg->name);
	json_decref(json);
}

/* What it has come to by now. */
static void change_tell(struct vm *vm, unsigned int id)
{
	const char *guarantee = id < GUARANTEE_COUNT ? guarantee_name(id) : NULL;
	struct host_change *change = &vm->watched.changes[id];
	char evidence[sizeof(change->evidence) + 64], left_out[64] = "", what[64];

	if (change->untold > 1)
		snprintf(left_out, sizeof(left_out), "; changed %u times since it was last told", change->untold);
	snprintf(evidence, sizeof(evidence), "%s%s", change->evidence, left_out);
	if (guarantee)
		snprintf(what, sizeof(what), "guarantee %s: %s", change->state, guarantee);
	else
		snprintf(what, sizeof(what), "the host: %s", change->state);
	if (guarantee && !is_lost(vm, id))
		note("%s: %s: %s", vm->cfg->name, what, evidence);
	else
		warn("%s: %s: %s", vm->cfg->name, what, evidence);
	life_change(vm, guarantee, change->state, evidence);
	change_keep(vm, guarantee ?: "host", change->state, evidence);
	change->untold = 0;
	change->told = clock_now();
}

/* The first are told each, the others when it is their time: what goes on and on would fill the host's log. */
static void change_add(struct vm *vm, unsigned int id, const char *state, const char *evidence)
{
	struct host_change *change = &vm->watched.changes[id];

	change->state = state;
	snprintf(change->evidence, sizeof(change->evidence), "%s", evidence);
	change->untold++;
	if (change->count++ < CHANGES_KEPT)
		change_tell(vm, id);
}

static void changes_tell(struct vm *vm)
{
	for (unsigned int id = 0; id < CHANGE_COUNT; id++) {
		const struct host_change *change = &vm->watched.changes[id];

		if (change->untold && clock_now() - change->told >= TELL_AGAIN)
			change_tell(vm, id);
	}
}

static void lost_act(struct vm *vm, unsigned int id, const struct guarantee *row)
{
	bool required = vm->cfg->require & 1U << id;

	if (!required && !vm->cfg->watch_abort)
		return;
	snprintf(vm->watched.reason, sizeof(vm->watched.reason), "guarantee lost: %s: %s%s", row->name,
		 required ? "it requires that: " : "", row->evidence);
	vm_stop(vm, EXIT_ABORTED, vm->watched.reason);
}

/* What wasn't held at the seal was never promised. */
static bool is_promised(const struct vm *vm, unsigned int id)
{
	return vm->seal.guarantees.rows[id].state == GUARANTEE_HELD;
}

/* What could not be read is no news, but not for ever: then nobody can tell that it is held. */
static bool is_news(struct host_watch *watched, unsigned int id, struct guarantee *row)
{
	char why[sizeof(row->evidence)];

	if (row->state != GUARANTEE_NOT_HAD) {
		watched->unread[id] = 0;
		return true;
	}
	watched->unread[id] = MIN(watched->unread[id] + 1, UNREAD_LOOKS);
	if (watched->unread[id] < UNREAD_LOOKS)
		return false;
	memcpy(why, row->evidence, sizeof(why));
	guarantee_set(row, GUARANTEE_NOT_HAD, "%u looks in a row could not read it: %s", UNREAD_LOOKS, why);
	return true;
}

/* One that was held at the seal is lost, or held again. */
static void guarantee_compare(struct vm *vm, unsigned int id, struct guarantee *row)
{
	bool held = row->state == GUARANTEE_HELD;

	if (!is_promised(vm, id) || !is_news(&vm->watched, id, row) || held == !is_lost(vm, id))
		return;
	vm->watched.lost ^= 1U << id;
	change_add(vm, id, held ? "held again" : "lost", row->evidence);
	if (!held)
		lost_act(vm, id, row);
}

static bool loss_is_seen(const struct vm *vm, const struct guarantees *now)
{
	for (unsigned int i = 0; i < now->count; i++)
		if (is_promised(vm, i) && !is_lost(vm, i) && now->rows[i].state == GUARANTEE_NOT_HELD)
			return true;
	return false;
}

/* A loss is what two looks agree on: one can have met what was being changed. */
static void guarantees_read_surely(const struct vm *vm, struct guarantees *now)
{
	struct guarantees first;

	guarantees_read(vm, now);
	if (!loss_is_seen(vm, now))
		return;
	first = *now;
	guarantees_read(vm, now);
	for (unsigned int i = 0; i < now->count; i++)
		if (now->rows[i].state == GUARANTEE_NOT_HELD && first.rows[i].state != GUARANTEE_NOT_HELD)
			now->rows[i] = first.rows[i];
}

static void guarantees_look(struct vm *vm)
{
	struct guarantees now;

	guarantees_read_surely(vm, &now);
	for (unsigned int i = 0; i < now.count && !vm->core_gone; i++)
		guarantee_compare(vm, i, &now.rows[i]);
}

/* All at once, or as nearly as a busy host allows: what passes between two of them would look like sleep. */
static void clocks_mark(struct host_watch *watched)
{
	int64_t before, boot, wall, after;
	unsigned int tries = 0;

	do {
		before = clock_now();
		boot = clock_read(CLOCK_BOOTTIME);
		wall = clock_read(CLOCK_REALTIME);
		after = clock_now();
	} while (after - before > MOMENT && ++tries < MOMENTS);
	watched->asleep = boot - (before + (after - before) / 2);
	watched->wall = wall - boot;
}

/* @by ns in which the clock was set, to the nearest ms. */
static void host_tell(struct vm *vm, unsigned int id, const char *what, int64_t by)
{
	char evidence[96];

	snprintf(evidence, sizeof(evidence), "%s%" PRId64 ".%03" PRId64 " s", what, by / 1000000000,
		 by / 1000000 % 1000);
	change_add(vm, id, id == CHANGE_CLOCK ? "clock set" : "suspended", evidence);
}

static void clocks_look(struct vm *vm)
{
	int64_t asleep = vm->watched.asleep, wall = vm->watched.wall, slept, set;

	clocks_mark(&vm->watched);
	slept = vm->watched.asleep - asleep;
	set = vm->watched.wall - wall;
	if (slept >= SUSPENDED)
		host_tell(vm, CHANGE_SUSPENDED, "for ", slept);
	if (set >= CLOCK_SET)
		host_tell(vm, CHANGE_CLOCK, "forward by ", set);
	else if (set <= -CLOCK_SET)
		host_tell(vm, CHANGE_CLOCK, "back by ", -set);
}

/* A look at the pages of a large VM takes a while (/proc/PID/smaps), in which nothing else is done. */
#define LOOKS_SHARE 50 /* so many times as long as a look took it has for that */

int64_t host_watch(struct vm *vm)
{
	struct host_watch *watched = &vm->watched;
	int64_t now = clock_now(), every = (int64_t)vm->cfg->watch_every * 1000000, ended;

	if (!vm->seal.marked || !vm->seal.guarantees.count)
		return -1;
	if (!watched->next) {
		clocks_mark(watched);
	} else if (now < watched->next) {
		return (watched->next - now) / 1000000 + 1;
	} else {
		clocks_look(vm);
		guarantees_look(vm);
		changes_tell(vm);
	}
	ended = clock_now();
	every = MAX(every, LOOKS_SHARE * (ended - now));
	watched->next = ended + every;
	return every / 1000000;
}

json_t *host_changes_json(const struct vm *vm)
{
	return vm->watched.kept ? json_incref(vm->watched.kept) : json_array();
}

void host_watch_release(struct vm *vm)
{
	json_decref(vm->watched.kept);
	vm->watched.kept = NULL;
}
