// SPDX-License-Identifier: GPL-2.0-only
/* The core manager has no standard error: what it has to say goes to the supervisor. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "vmm/core/core.h"

static void event_write(const struct event *event)
{
	/* A supervisor that is gone hears nothing; console_loop sees that it is. */
	ssize_t sent = send(HANDOFF_SOCKET, event, sizeof(*event), MSG_NOSIGNAL);

	(void)sent;
}

void event_send(enum event_type type, const char *text)
{
	struct event event = { .type = type };

	snprintf(event.text, sizeof(event.text), "%s", text);
	event_write(&event);
}

void event_send_fds(enum event_type type, unsigned int vcpu, uint64_t value, const int *fds, size_t count)
{
	struct event event = { .type = type, .vcpu = vcpu, .value = value };

	/* as event_write: who is gone hears nothing */
	(void)fd_send(HANDOFF_SOCKET, &event, sizeof(event), fds, count, 0);
}

void event_send_ready(uint8_t value, const char *label)
{
	struct event event = { .type = EVENT_READY, .value = value };

	snprintf(event.text, sizeof(event.text), "%s", label);
	event_write(&event);
}

void event_end(enum end_cause end, unsigned int vcpu, uint64_t value, const char *text)
{
	struct event event = { .type = EVENT_END, .end = end, .vcpu = vcpu, .value = value };

	snprintf(event.text, sizeof(event.text), "%s", text);
	event_write(&event);
	_exit(CORE_EXIT_END);
}

void log_write(enum log_level level, const char *text)
{
	struct event event = { .type = EVENT_LOG, .level = level };

	snprintf(event.text, sizeof(event.text), "%s", text);
	event_write(&event);
}
