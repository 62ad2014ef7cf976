// SPDX-License-Identifier: GPL-2.0-only
/* What the core manager says. It may be the guest's by now: each message is checked whole before it is used. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define CORE_WORDS_MAX 1000 /* messages of one VM's life */

/* Nothing that a terminal would act on. */
void text_tame(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* At audit it can go on for ever, and would fill the host's log. */
static void event_log(struct vm *vm, const struct event *event)
{
	if (event->level == LOG_ERROR)
		vm->core_failed = true;
	if (vm->core_words == CORE_WORDS_MAX)
		return;
	if (++vm->core_words < CORE_WORDS_MAX)
		log_write((enum log_level)event->level, event->text);
	else
		warn("the core manager has said more than any has to say: what follows is dropped");
}

static bool event_is_valid(const struct event *event)
{
	switch (event->type) {
	case EVENT_LOG:
		return event->level <= LOG_NOTE;
	case EVENT_JAILED:
	case EVENT_BOOTING:
	case EVENT_READY:
	case EVENT_VM:
	case EVENT_VCPU:
	case EVENT_QUIET:
	case EVENT_FILTERED:
		return true;
	case EVENT_END:
		return event->end >= END_POWER_OFF && event->end <= END_CORE_ERROR;
	default:
		return false;
	}
}

/*
 * The label is the guest's own word, and may be the core manager's: it is cut, and what JSON would have to escape is
 * made a question mark as what isn't printable was. Of several, the first alone counts, and is told of: at audit a
 * guest can go on, and would fill the host's log.
 */
static void event_ready(struct vm *vm, const struct event *event)
{
	char *label = vm->seal.label;

	if (vm->seal.asked || vm->core_gone)
		return;
	snprintf(label, sizeof(vm->seal.label), "%.*s", SEAL_LABEL_MAX, event->text);
	for (char *c = label; *c; c++)
		if (*c == '"' || *c == '\\')
			*c = '?';
	note("%s: guest is ready (%u)", vm->cfg->name, (uint8_t)event->value);
	seal_ask(vm);
}

/*
 * A step of the seal is believed once, in its order: a core manager that skips one is ended. One that has ended, by an
 * order, say, isn't sealed any more, and that is not what ended it.
 */
static int event_seal(struct vm *vm, enum event_type type)
{
	static const enum event_type order[] = { EVENT_BOOTING, EVENT_QUIET, EVENT_FILTERED };
	unsigned int next = vm->seal_step + 1;

	if (next >= ARRAY_SIZE(order) || order[next] != type)
		return -EPROTO;
	vm->seal_step = next;
	if (vm->core_gone)
		return 0;
	if (type == EVENT_QUIET)
		seal_quiet(vm);
	else
		seal_finish(vm);
	return 0;
}

/* What came with fds. Those that are kept are taken out of @fds. */
static int event_fds(struct vm *vm, const struct event *event, int *fds)
{
	int err = -EPROTO;

	if (event->type == EVENT_VM && fds[0] >= 0)
		err = seal_take_vm(vm, fds[0]);
	else if (event->type == EVENT_VCPU && fds[0] >= 0 && fds[1] >= 0)
		err = seal_take_vcpu(vm, event->vcpu, (pid_t)event->value, fds[0], fds[1]);
	if (!err)
		fds[0] = -1;
	return err;
}

static int event_act(struct vm *vm, const struct event *event, int *fds)
{
	switch (event->type) {
	case EVENT_LOG:
		event_log(vm, event);
		break;
	case EVENT_JAILED:
		if (event->text[0])
			warn("the core manager's jail: not to be had on this host for this user: %s", event->text);
		break;
	case EVENT_BOOTING:
		step_say(vm, SEQUENCE_START, STEP_BOOT);
		vm->booting_at = clock_now();
		life_say(vm, "booting");
		if (vm->opt->verbose)
			note("booting");
		break;
	case EVENT_READY:
		event_ready(vm, event);
		break;
	case EVENT_VM:
	case EVENT_VCPU:
		return event_fds(vm, event, fds);
	case EVENT_QUIET:
	case EVENT_FILTERED:
		return event_seal(vm, event->type);
	case EVENT_END:
		vm->end = *event;
		break;
	}
	return 0;
}

#define EVENTS_A_WAKE 32 /* while it lives; of a dead one there is an end to them */

bool events_receive(struct vm *vm)
{
	for (unsigned int taken = 0; vm->core_gone || taken < EVENTS_A_WAKE; taken++) {
		int fds[EVENT_FDS_MAX];
		struct event event;
		ssize_t len = fd_receive(vm->event_fd, &event, sizeof(event), fds, EVENT_FDS_MAX, MSG_DONTWAIT);
		int err = 0;

		if (len == -EINTR)
			continue;
		if (len < 0)
			return len == -EAGAIN;
		if (len == 0)
			return false;
		if (len != (ssize_t)sizeof(event) || !event_is_valid(&event))
			err = -EPROTO;
		if (!err) {
			text_tame(event.text, sizeof(event.text));
			err = event_act(vm, &event, fds);
		}
		for (unsigned int i = 0; i < EVENT_FDS_MAX; i++)
			fd_close(&fds[i]);
		if (err) {
			vm->core_failed = true;
			fail(err, "the core manager sent what it may not send (%zd bytes); it is ended", len);
			return false;
		}
	}
	return true; /* and there may be more */
}
