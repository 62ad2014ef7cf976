// SPDX-License-Identifier: GPL-2.0-only
/* What the core manager says. It may be the guest's by now: each message is checked whole before it is used. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "vmm/supervisor/internal.h"

/* Nothing that a terminal would act on. */
static void text_tame(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void event_log(struct vm *vm, const struct event *event)
{
	if (event->level == LOG_ERROR)
		vm->core_failed = true;
	log_write((enum log_level)event->level, event->text);
}

static bool event_is_valid(const struct event *event)
{
	switch (event->type) {
	case EVENT_LOG:
		return event->level <= LOG_NOTE;
	case EVENT_JAILED:
	case EVENT_BOOTING:
	case EVENT_READY:
		return true;
	case EVENT_END:
		return event->end >= END_POWER_OFF && event->end <= END_CORE_ERROR;
	default:
		return false;
	}
}

static void event_act(struct vm *vm, const struct event *event)
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
		if (vm->opt->verbose)
			note("booting");
		break;
	case EVENT_READY:
		note("guest is ready (%s)", event->text);
		break;
	case EVENT_END:
		vm->end = *event;
		break;
	}
}

bool events_receive(struct vm *vm)
{
	for (;;) {
		struct event event;
		ssize_t len = recv(vm->event_fd, &event, sizeof(event), MSG_DONTWAIT | MSG_TRUNC);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == EAGAIN;
		if (len == 0)
			return false;
		if (len != (ssize_t)sizeof(event) || !event_is_valid(&event)) {
			fail(-EPROTO, "the core manager sent what is no event (%zd bytes); it is ended", len);
			vm->core_failed = true;
			return false;
		}
		text_tame(event.text, sizeof(event.text));
		event_act(vm, &event);
	}
}
