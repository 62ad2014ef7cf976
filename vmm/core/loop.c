// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "vmm/core/core.h"

#define INPUT_RETRY 10 /* milliseconds until a full serial port is tried again */

struct input {
	uint8_t bytes[64];
	size_t count; /* read and not yet taken by the guest */
	int closed;
};

static void input_offer(struct vm *vm, struct input *in)
{
	size_t taken;

	pthread_mutex_lock(&vm->device_lock);
	taken = devices_input(&vm->devices, in->bytes, in->count);
	pthread_mutex_unlock(&vm->device_lock);
	in->count -= taken;
	memmove(in->bytes, in->bytes + taken, in->count);
}

static void input_read(struct vm *vm, struct input *in)
{
	ssize_t len = read(vm->console_fd, in->bytes, sizeof(in->bytes));

	if (len > 0)
		in->count = (size_t)len;
	else if (len == 0 || errno != EINTR)
		in->closed = 1; /* output may still go there */
}

void console_loop(struct vm *vm)
{
	struct input in = { .count = 0 };

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = HANDOFF_SOCKET, .events = POLLIN },
			{ .fd = in.count || in.closed ? -1 : vm->console_fd, .events = POLLIN },
		};
		int ready = poll(fds, 2, in.count ? INPUT_RETRY : -1);

		if (ready < 0 && errno != EINTR)
			_exit(CORE_EXIT_ERROR);
		if (ready > 0 && (fds[0].revents & ~POLLIN))
			_exit(CORE_EXIT_SUPERVISOR);
		if (ready > 0 && (fds[0].revents & POLLIN))
			seal_request(vm);
		if (ready > 0 && fds[1].revents)
			input_read(vm, &in);
		if (in.count)
			input_offer(vm, &in);
	}
}
