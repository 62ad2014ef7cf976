// SPDX-License-Identifier: GPL-2.0-only
#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the fds, aligned as the kernel wants it. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
};

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int fd_send(int socket, const void *bytes, size_t size, const int *fds, size_t count, int flags)
{
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { 0 };

	if (count > FD_PASS_MAX)
		return -E2BIG;
	if (count) {
		struct cmsghdr *cmsg = &control.align;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * count);
	}
	return sendmsg(socket, &msg, flags | MSG_NOSIGNAL) < 0 ? -errno : 0; /* a packet goes whole or not at all */
}

ssize_t fd_receive(int socket, void *bytes, size_t size, int *fds, size_t max, int flags)
{
	struct iovec iov = { .iov_base = bytes, .iov_len = size };
	union control control;
	/* The exact length: with room for padding the kernel would put another fd there. */
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = CMSG_LEN(sizeof(int) * max) };
	const struct cmsghdr *cmsg;
	ssize_t len;

	for (size_t i = 0; i < max; i++)
		fds[i] = -1;
	if (max > FD_PASS_MAX)
		return -E2BIG;
	len = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);
	if (len < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(cmsg), cmsg->cmsg_len - CMSG_LEN(0));
	return msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? (ssize_t)size + 1 : len;
}
