// SPDX-License-Identifier: GPL-2.0-only
/* The core manager has no standard error: what it has to say goes to the supervisor. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
	struct iovec iov = { .iov_base = &event, .iov_len = sizeof(event) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * EVENT_FDS_MAX)];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = CMSG_SPACE(sizeof(int) * count) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t sent;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
	sent = sendmsg(HANDOFF_SOCKET, &msg, MSG_NOSIGNAL);
	(void)sent;
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
